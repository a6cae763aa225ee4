use std::borrow::Cow;

use base64::Engine as _;
use base64::alphabet::STANDARD as ALPHABET;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;
use cardoon_core::{IdError, Message, Priority, TaskId};
use serde::Deserialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::priority;
use crate::json_text::{Text, number, put_string, string};
use crate::{JSON, MSGPACK, YAML, v1, wire_time};

/// The content type, for nobody but us, of bytes that are no envelope. Its body is those bytes.
pub(crate) const UNREADABLE: &str = "application/x-cardoon-unreadable";

/// Padding may be missing, as other decoders allow.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &ALPHABET,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// The message of an envelope. Never fails, and loses nothing: bytes that are no envelope become a message that
/// holds them all, that [`decode`](crate::decode) answers with what is wrong, and whose id depends on the bytes only.
///
/// The headers, and a body that needs no decoding, share the memory of `raw`.
pub fn read(raw: &Bytes) -> Message {
    message(raw).unwrap_or_else(|problem| unreadable(raw, &problem))
}

/// What is wrong with a message of content type [`UNREADABLE`].
pub(crate) fn problem(message: &Message) -> String {
    #[derive(Deserialize)]
    struct Headers {
        problem: String,
    }
    let headers: Option<Headers> = serde_json::from_slice(&message.headers).ok();
    headers.map_or_else(|| "it cannot be read".to_owned(), |headers| headers.problem)
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    body: Option<&'a RawValue>,
    #[serde(borrow, rename = "content-encoding")]
    content_encoding: Option<Text<'a>>,
    #[serde(borrow, rename = "content-type")]
    content_type: Option<Text<'a>>,
    #[serde(borrow)]
    headers: Option<&'a RawValue>,
    #[serde(borrow)]
    properties: Option<Properties<'a>>,
}

/// What we need of the properties. Of any type, because an odd one is no reason not to execute the task.
#[derive(Deserialize, Default)]
struct Properties<'a> {
    #[serde(borrow)]
    correlation_id: Option<&'a RawValue>,
    #[serde(borrow)]
    body_encoding: Option<&'a RawValue>,
    #[serde(borrow)]
    priority: Option<&'a RawValue>,
}

/// What a broker needs of the headers.
#[derive(Deserialize, Default)]
struct Headers<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    task: Option<&'a RawValue>,
    #[serde(borrow)]
    retries: Option<&'a RawValue>,
    #[serde(borrow)]
    expires: Option<&'a RawValue>,
    #[serde(borrow)]
    compression: Option<&'a RawValue>,
}

fn message(raw: &Bytes) -> Result<Message, String> {
    let envelope: Envelope<'_> = object(raw).map_err(|problem| format!("it is {problem}"))?;
    let properties = envelope.properties.unwrap_or_default();
    let body = body(raw, envelope.body.ok_or("it has no `body`")?, properties.body_encoding)?;
    let headers = headers(raw, envelope.headers);
    let known: Headers<'_> = object(&headers).map_err(|problem| format!("`headers` is {problem}"))?;
    let id = [known.id, properties.correlation_id].into_iter().flatten().find_map(string);
    let mut message = Message {
        id: id
            .map_or_else(|| Ok(derived_id(raw)), |id| TaskId::new(&id).map_err(|problem| no_id(&problem)))?,
        attempt: known.retries.and_then(number).and_then(|retries| retries.try_into().ok()).unwrap_or(0),
        task: known.task.and_then(string).map(Cow::into_owned).unwrap_or_default(),
        priority: wire_priority(properties.priority),
        expires: known.expires.and_then(string).and_then(|text| wire_time::read(&text).ok()),
        content_type: content_type(envelope.content_type)?,
        content_encoding: well_known(envelope.content_encoding, &["utf-8", "binary"]),
        headers: headers.clone(),
        body,
    };
    if known.task.is_none() {
        v1::summarise(&mut message, known.compression.and_then(string).as_deref())
            .map_err(|problem| no_id(&problem))?;
    }
    Ok(message)
}

fn no_id(problem: &IdError) -> String {
    format!("`id` is no task id: {problem}")
}

/// Without the first check an array would pass, as the values of the fields in their order. Text is looked through for
/// bytes that are no UTF-8 once, not string by string.
fn object<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Result<T, String> {
    if !json.trim_ascii_start().starts_with(b"{") {
        return Err("no JSON object".into());
    }
    let read = match std::str::from_utf8(json) {
        Ok(text) => serde_json::from_str(text),
        Err(_) => serde_json::from_slice(json),
    };
    read.map_err(|error| format!("no JSON object as expected: {error}"))
}

fn body(raw: &Bytes, body: &RawValue, encoding: Option<&RawValue>) -> Result<Bytes, String> {
    let Some(text) = string(body) else { return Ok(raw.slice_ref(body.get().as_bytes())) };
    if encoding.and_then(string).is_some_and(|encoding| encoding.eq_ignore_ascii_case("base64")) {
        let bytes = BASE64.decode(text.as_bytes());
        return bytes.map(Bytes::from).map_err(|error| format!("`body` is no base64: {error}"));
    }
    Ok(match text {
        Cow::Borrowed(text) => raw.slice_ref(text.as_bytes()),
        Cow::Owned(text) => text.into(),
    })
}

fn headers(raw: &Bytes, headers: Option<&RawValue>) -> Bytes {
    match headers {
        None => Bytes::from_static(b"{}"),
        Some(headers) => raw.slice_ref(headers.get().as_bytes()),
    }
}

fn content_type(found: Option<Text<'_>>) -> Result<Cow<'static, str>, String> {
    let found = well_known(found, &[JSON, MSGPACK, YAML]);
    if found == UNREADABLE {
        return Err(format!("its content type is {UNREADABLE}, which is never sent"));
    }
    Ok(found)
}

/// `found` without memory of its own if it is one of `known`.
fn well_known(found: Option<Text<'_>>, known: &[&'static str]) -> Cow<'static, str> {
    let found = found.map(|Text(text)| text).unwrap_or_default();
    match known.iter().find(|known| **known == found) {
        Some(known) => Cow::Borrowed(known),
        None => Cow::Owned(found.into_owned()),
    }
}

fn derived_id(raw: &[u8]) -> TaskId {
    let uuid = Uuid::new_v5(&Uuid::NAMESPACE_OID, raw).to_string();
    TaskId::new(uuid).expect("a UUID is a task id")
}

/// As kombu counts: what is no number is 0, and what is beyond the scale is at its end.
fn wire_priority(found: Option<&RawValue>) -> Priority {
    priority(found.and_then(number).unwrap_or(0).clamp(0, 9) as u8)
}

fn unreadable(raw: &Bytes, problem: &str) -> Message {
    let mut headers = b"{\"problem\":".to_vec();
    put_string(&mut headers, problem);
    headers.push(b'}');
    Message {
        id: derived_id(raw),
        attempt: 0,
        task: String::new(),
        priority: Priority::default(),
        expires: None,
        content_type: Cow::Borrowed(UNREADABLE),
        content_encoding: Cow::Borrowed("binary"),
        headers: headers.into(),
        body: raw.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kombu::{Route, write};
    use crate::{Limits, decode};
    use cardoon_core::DeadReason;

    const ROUTE: Route<'_> = Route { exchange: "", routing_key: "q", delivery_tag: "t", reply_to: "" };

    fn read_text(envelope: &'static str) -> Message {
        read(&Bytes::from_static(envelope.as_bytes()))
    }

    #[test]
    fn what_is_no_envelope_is_kept_whole_with_what_is_wrong() {
        for (raw, problem) in [
            ("hello", "it is no JSON object"),
            (r#"{"body""#, "EOF while parsing"),
            (r#"["Ym9keQ==", "utf-8", "application/json", {}, {}]"#, "it is no JSON object"),
            ("{}", "it has no `body`"),
            (r#"{"body": "?", "properties": {"body_encoding": "base64"}}"#, "`body` is no base64"),
            (r#"{"body": "", "headers": 7}"#, "`headers` is no JSON object"),
            (r#"{"body": "", "headers": {"id": ""}}"#, "`id` is no task id: it is empty"),
            (r#"{"body": "", "content-type": "application/x-cardoon-unreadable"}"#, "never sent"),
        ] {
            let message = read_text(raw);
            assert_eq!(message.body, raw);
            let refusal = decode(&message, &Limits::default()).unwrap_err();
            assert_eq!(refusal.reason, DeadReason::Malformed);
            assert!(refusal.detail.contains(problem), "{raw}: {refusal}");
            assert_eq!(write(&message, &ROUTE), raw);
        }
        let not_text = Bytes::from_static(b"\xff\xfe{\"body\"");
        assert_eq!(read(&not_text).body, not_text);
    }

    #[test]
    fn an_id_that_is_missing_depends_on_the_bytes_only() {
        let first = read_text("hello");
        assert_eq!(first.id, read_text("hello").id);
        assert_ne!(first.id, read_text("hallo").id);
        assert_eq!(first.id.as_str().len(), 36);
    }

    #[test]
    fn a_body_without_encoding_is_its_text() {
        let plain = r#"{"body": "[[],{},{}]", "headers": {"id": "t"}}"#;
        assert_eq!(read_text(plain).body, "[[],{},{}]");
        let escaped =
            r#"{"body": "[[\"a\"],{},{}]", "headers": {"id": "t"}, "properties": {"body_encoding": null}}"#;
        assert_eq!(read_text(escaped).body, r#"[["a"],{},{}]"#);
        let object = r#"{"body": [[], {}, {}], "headers": {"id": "t"}}"#;
        assert_eq!(read_text(object).body, "[[], {}, {}]");
    }

    #[test]
    fn the_headers_and_a_plain_body_are_not_copied() {
        let raw = Bytes::from_static(
            br#"{"cardoon": {"x": 1}, "headers": {"id": "t", "x-mine": 1}, "body": "[]"}"#,
        );
        let message = read(&raw);
        assert!(raw.as_ptr_range().contains(&message.headers.as_ptr()));
        assert!(raw.as_ptr_range().contains(&message.body.as_ptr()));
        assert_eq!(message.headers, r#"{"id": "t", "x-mine": 1}"#);
    }

    #[test]
    fn odd_properties_do_not_keep_a_task_from_being_read() {
        let odd = r#"{"body": "", "headers": {"id": "t", "retries": -1, "expires": 7, "task": null},
            "properties": {"priority": "high", "correlation_id": 7}}"#;
        let message = read_text(odd);
        assert_eq!((message.id.as_str(), message.attempt, message.expires), ("t", 0, None));
        assert_eq!(message.priority, Priority::default());
        let priority = |json: &str| {
            read(&Bytes::from(format!(r#"{{"body": "", "properties": {{"priority": {json}}}}}"#))).priority
        };
        assert_eq!(
            (priority("3"), priority("-3"), priority("300")),
            (Priority::new(3), Priority::default(), Priority::LOWEST)
        );
    }
}
