use std::borrow::Cow;

use bytes::Bytes;
use cardoon_core::{Message, Timestamp};
use cardoon_errors::{Code, Error, Result};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::arguments::Entries;
use crate::json_text::put_object;
use crate::{JSON, v1, wire_time};

/// The message for attempt number `attempt` of the same task: the same id and body, and all headers but `retries`
/// and `eta` as they were. Of protocol 1, whose headers are in the body, that is rewritten, as JSON.
///
/// # Errors
///
/// `CD2001` if the headers are no JSON object, which they are in every message that was decoded.
pub fn next_attempt(message: &Message, attempt: u32, eta: Timestamp) -> Result<Message> {
    let broken = |error: serde_json::Error| {
        let text = format!("the headers of {} are no JSON object", message.id);
        Error::new(Code::BadMessage, text).checked(error.to_string())
    };
    let Kind { task, compression } = serde_json::from_slice(&message.headers).map_err(broken)?;
    let body = match task {
        Some(_) => None,
        None => v1::next_body(message, compression.as_deref(), attempt, eta),
    };
    let Some(body) = body else {
        let headers = with_attempt(&message.headers, attempt, eta).map_err(broken)?;
        return Ok(Message { attempt, headers, ..message.clone() });
    };
    Ok(Message {
        attempt,
        content_type: Cow::Borrowed(JSON),
        content_encoding: Cow::Borrowed("utf-8"),
        headers: without_compression(&message.headers).map_err(broken)?,
        body: body.map_err(broken)?,
        ..message.clone()
    })
}

/// Which protocol a message is of, and what its body is packed with.
#[derive(Deserialize)]
struct Kind {
    task: Option<IgnoredAny>,
    compression: Option<String>,
}

/// The members of `json`, an object, but for `retries` and `eta`.
pub(crate) fn with_attempt(json: &[u8], attempt: u32, eta: Timestamp) -> serde_json::Result<Bytes> {
    let Entries(mut entries) = serde_json::from_slice(json)?;
    entries.retain(|(name, _)| name != "retries" && name != "eta");
    let retries = serde_json::value::to_raw_value(&attempt)?;
    let eta = serde_json::value::to_raw_value(&wire_time::write(eta))?;
    entries.push(("retries".into(), &retries));
    entries.push(("eta".into(), &eta));
    Ok(object(&entries, json.len() + 64))
}

fn without_compression(headers: &[u8]) -> serde_json::Result<Bytes> {
    let Entries(mut entries) = serde_json::from_slice(headers)?;
    entries.retain(|(name, _)| name != "compression");
    Ok(object(&entries, headers.len()))
}

fn object(entries: &[(impl AsRef<str>, &RawValue)], capacity: usize) -> Bytes {
    let mut json = Vec::with_capacity(capacity);
    put_object(&mut json, entries);
    json.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Limits, decode, encode};
    use cardoon_core::{Signature, SignatureOptions, TaskId};

    #[test]
    fn only_the_attempt_and_the_time_change() {
        let options = SignatureOptions::default();
        let call = Signature { task: "add".into(), args: "[1]".into(), kwargs: "{}".into(), options };
        let mut first = encode(&call, TaskId::new("t").unwrap(), "test").unwrap();
        first.headers = Bytes::from_static(br#"{"task":"add","x-mine":{"a":1},"retries":0,"eta":null}"#);
        let second = next_attempt(&first, 1, Timestamp(1_700_000_000_000)).unwrap();
        let headers = r#"{"task":"add","x-mine":{"a":1},"retries":1,"eta":"2023-11-14T22:13:20+00:00"}"#;
        assert_eq!(second.headers, headers);
        assert_eq!((second.attempt, &second.id, &second.body), (1, &first.id, &first.body));
        assert_eq!(decode(&second, &Limits::default()).unwrap().eta, Some(Timestamp(1_700_000_000_000)));
    }

    #[test]
    fn a_message_that_just_keeps_a_limit_keeps_it_in_all_its_attempts() {
        let options = SignatureOptions::default();
        let call = Signature { task: "add".into(), args: "[1]".into(), kwargs: "{}".into(), options };
        let mut first = encode(&call, TaskId::new("t").unwrap(), "test").unwrap();
        first.headers = Bytes::from_static(br#"{"task":"add"}"#);
        let limits = Limits { max_bytes: first.size(), ..Limits::default() };
        let last = Timestamp(4_000_000_000_123);
        let second = next_attempt(&first, u32::MAX, last).unwrap();
        assert_eq!(decode(&second, &limits).unwrap().eta, Some(last));
        let much_larger = Message { body: vec![b' '; first.body.len() + 256].into(), ..second };
        assert!(decode(&much_larger, &limits).is_err());
    }

    #[test]
    fn of_protocol_1_the_body_is_rewritten() {
        let first = Message {
            id: TaskId::new("t").unwrap(),
            attempt: 0,
            task: "add".into(),
            priority: cardoon_core::Priority::default(),
            expires: None,
            content_type: crate::MSGPACK.into(),
            content_encoding: "binary".into(),
            headers: r#"{"x-mine": 1}"#.into(),
            body: Bytes::from_static(b"\x83\xa4task\xa3add\xa7retries\0\xa4mine\x07"),
        };
        let second = next_attempt(&first, 1, Timestamp(1_700_000_000_000)).unwrap();
        assert_eq!(second.body, r#"{"task":"add","mine":7,"retries":1,"eta":"2023-11-14T22:13:20+00:00"}"#);
        assert_eq!((second.headers.as_ref(), &*second.content_type), (&br#"{"x-mine":1}"#[..], JSON));
        assert_eq!(decode(&second, &Limits::default()).unwrap().eta, Some(Timestamp(1_700_000_000_000)));
    }

    #[test]
    fn headers_that_are_no_object_are_an_error() {
        let options = SignatureOptions::default();
        let call = Signature { task: "add".into(), args: "[1]".into(), kwargs: "{}".into(), options };
        let mut message = encode(&call, TaskId::new("t").unwrap(), "test").unwrap();
        message.headers = Bytes::from_static(b"7");
        assert_eq!(next_attempt(&message, 1, Timestamp(0)).unwrap_err().code(), Code::BadMessage);
    }
}
