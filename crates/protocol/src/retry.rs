use std::borrow::Cow;

use bytes::Bytes;
use cardoon_core::{Message, Timestamp};
use cardoon_errors::{Code, Error, Result};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::arguments::Entries;
use crate::json_text::put_object;
use crate::{JSON, encode, python_repr, v1, wire_time};

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

/// The message for the next attempt as [`next_attempt`] writes it, with other arguments: a JSON array and a JSON object.
/// Its body is JSON afterwards.
///
/// # Errors
///
/// As [`next_attempt`], and `CD2006` if the arguments are no array and no object.
pub fn next_attempt_with(
    message: &Message,
    attempt: u32,
    eta: Timestamp,
    args: &[u8],
    kwargs: &[u8],
) -> Result<Message> {
    let next = next_attempt(message, attempt, eta)?;
    let rewritten = if v1::is_body(&next.body) {
        let body = replaced(&next.body, &[("args", args), ("kwargs", kwargs)]);
        body.map(|body| (next.headers.clone(), body))
    } else {
        with_arguments(&next.headers, args, kwargs)
    };
    let (headers, body) = rewritten.map_err(|error| {
        let text = format!("the new arguments of {} cannot be written", message.id);
        Error::new(Code::NotSerializable, text).checked(error.to_string())
    })?;
    let (content_type, content_encoding) = (Cow::Borrowed(JSON), Cow::Borrowed("utf-8"));
    Ok(Message { content_type, content_encoding, headers, body, ..next })
}

/// Headers and body of protocol 2. Messages that ask for follow-ups are not executed, so none are lost here.
fn with_arguments(headers: &[u8], args: &[u8], kwargs: &[u8]) -> serde_json::Result<(Bytes, Bytes)> {
    let headers = without_compression(headers)?;
    let shown = [python_repr::tuple(args)?, python_repr::dict(kwargs)?];
    let shown = [serde_json::to_vec(&shown[0])?, serde_json::to_vec(&shown[1])?];
    let headers = replaced(&headers, &[("argsrepr", &shown[0]), ("kwargsrepr", &shown[1])])?;
    Ok((headers, encode::body(args, kwargs)))
}

/// The members of `json`, an object, with these in the place of those of the same names.
pub(crate) fn replaced(json: &[u8], members: &[(&str, &[u8])]) -> serde_json::Result<Bytes> {
    let Entries(mut entries) = serde_json::from_slice(json)?;
    entries.retain(|(known, _)| members.iter().all(|(name, _)| known != name));
    for (name, value) in members {
        entries.push(((*name).into(), serde_json::from_slice(value)?));
    }
    Ok(object(&entries, json.len() + 64))
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

/// The headers of a message for a body that is packed anew: how the old one was packed says nothing of it.
///
/// # Errors
///
/// Those of JSON, for headers that are no object.
pub fn without_compression(headers: &[u8]) -> serde_json::Result<Bytes> {
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
    fn other_arguments_go_into_the_body_whatever_it_was_packed_with() {
        let options = SignatureOptions::default();
        let call = Signature { task: "add".into(), args: "[1]".into(), kwargs: "{}".into(), options };
        let first = encode(&call, TaskId::new("t").unwrap(), "test").unwrap();
        let next = next_attempt_with(&first, 1, Timestamp(0), b"[2,\"b\"]", br#"{"c": 3}"#).unwrap();
        let read = decode(&next, &Limits::default()).unwrap();
        assert_eq!(
            (&read.arguments.args()[..], &read.arguments.kwargs()[..]),
            (&b"[2,\"b\"]"[..], &br#"{"c": 3}"#[..])
        );
        let headers: serde_json::Value = serde_json::from_slice(&next.headers).unwrap();
        assert_eq!((&headers["argsrepr"], &headers["retries"]), (&"(2, 'b')".into(), &1.into()));
        assert!(next_attempt_with(&first, 1, Timestamp(0), b"7", b"{}").is_err());
        let old = Message { headers: "{}".into(), body: br#"{"task":"add","args":[1]}"#[..].into(), ..first };
        let next = next_attempt_with(&old, 1, Timestamp(0), b"[2]", b"{}").unwrap();
        assert_eq!(&decode(&next, &Limits::default()).unwrap().arguments.args()[..], b"[2]");
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
