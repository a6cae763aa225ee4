use std::collections::HashMap;

use bytes::Bytes;
use cardoon_errors::Result;
use serde_json::value::RawValue;

use super::bad_request;

/// What a message says of itself. A sender's header of that name would be lost, or keep workers from reading the message.
const RESERVED: [&str; 20] = [
    "lang",
    "task",
    "id",
    "shadow",
    "eta",
    "expires",
    "group",
    "group_index",
    "retries",
    "timelimit",
    "root_id",
    "parent_id",
    "argsrepr",
    "kwargsrepr",
    "origin",
    "ignore_result",
    "replaced_task_nesting",
    "stamped_headers",
    "stamps",
    "compression",
];

/// The sender's own headers, a JSON object; empty for none.
pub(super) fn own_headers(object: Option<Bytes>) -> Result<Bytes> {
    let Some(object) = object else { return Ok(Bytes::new()) };
    let names: HashMap<String, &RawValue> = serde_json::from_slice(&object)
        .map_err(|error| bad_request("`headers` cannot be read").checked(error.to_string()))?;
    match RESERVED.iter().find(|name| names.contains_key(**name)) {
        Some(name) => Err(bad_request(format!("`headers` has `{name}`, which the message says itself"))),
        None => Ok(object),
    }
}

#[cfg(test)]
mod tests {
    use cardoon_core::{Signature, SignatureOptions};
    use serde_json::Value;

    use super::*;

    #[test]
    fn every_header_that_a_message_has_anyway_is_refused() {
        let options = SignatureOptions::default();
        let call = Signature { task: "t".into(), args: "[]".into(), kwargs: "{}".into(), options };
        let message = cardoon_protocol::encode(&call, "t-1".parse().unwrap(), "test").unwrap();
        let headers: HashMap<String, Value> = serde_json::from_slice(&message.headers).unwrap();
        for name in headers.keys().map(String::as_str).chain(["compression"]) {
            assert!(own_headers(Some(format!("{{\"{name}\": 1}}").into())).is_err(), "{name}");
        }
        assert!(own_headers(Some(r#"{"tenant": "a", "traceparent": "t"}"#.into())).is_ok());
    }
}
