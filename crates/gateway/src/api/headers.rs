use std::collections::HashMap;

use bytes::Bytes;
use cardoon_errors::Result;
use cardoon_protocol::RESERVED_HEADERS;
use serde_json::value::RawValue;

use super::bad_request;

/// The sender's own headers, a JSON object; empty for none. One that the message has itself would be lost.
pub(super) fn own_headers(object: Option<Bytes>) -> Result<Bytes> {
    let Some(object) = object else { return Ok(Bytes::new()) };
    let names: HashMap<String, &RawValue> = serde_json::from_slice(&object)
        .map_err(|error| bad_request("`headers` cannot be read").checked(error.to_string()))?;
    match RESERVED_HEADERS.iter().find(|name| names.contains_key(**name)) {
        Some(name) => Err(bad_request(format!("`headers` has `{name}`, which the message says itself"))),
        None => Ok(object),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_header_that_a_message_has_anyway_is_refused() {
        for name in RESERVED_HEADERS {
            assert!(own_headers(Some(format!("{{\"{name}\": 1}}").into())).is_err(), "{name}");
        }
        assert!(own_headers(Some(r#"{"tenant": "a", "traceparent": "t"}"#.into())).is_ok());
    }
}
