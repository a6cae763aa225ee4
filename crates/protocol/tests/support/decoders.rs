//! Every decoder, fed with bytes that anybody may have written, and what must hold for whatever comes out.
//!
//! Shared by the corpus test and by the fuzz targets.

use bytes::Bytes;
use cardoon_core::{Message, Priority, TaskId, Timestamp};
use cardoon_protocol::{Limits, celery_result, decode, from_json, kombu, next_attempt};
use serde_json::Value;
use serde_json::value::RawValue;

const LIMITS: Limits = Limits { max_bytes: 64 * 1024, max_depth: 24 };
const ROUTE: kombu::Route<'_> =
    kombu::Route { exchange: "", routing_key: "q", delivery_tag: "t", reply_to: "r" };

/// A decoder's name and its way in.
pub(crate) type Decoder = (&'static str, fn(&[u8]));

/// All of them.
pub(crate) const DECODERS: &[Decoder] = &[
    ("envelope", envelope),
    ("headers", headers),
    ("json", |body| v2(cardoon_protocol::JSON, body)),
    ("msgpack", |body| v2(cardoon_protocol::MSGPACK, body)),
    ("yaml", |body| v2(cardoon_protocol::YAML, body)),
    ("v1", |body| check(&message("{}", cardoon_protocol::JSON, body))),
    ("zlib", |body| compressed("application/x-gzip", body)),
    ("bz2", |body| compressed("application/x-bz2", body)),
    ("xz", |body| compressed("application/x-lzma", body)),
    ("zstd", |body| compressed("application/zstd", body)),
    ("result", result),
    ("value", value),
];

/// Runs the decoder of that name.
#[allow(dead_code, reason = "the fuzz targets run one each, the corpus test runs all")]
pub(crate) fn run(name: &str, bytes: &[u8]) {
    let (_, decode) = DECODERS.iter().find(|(known, _)| *known == name).expect("a decoder has this name");
    decode(bytes);
}

fn envelope(bytes: &[u8]) {
    let raw = Bytes::copy_from_slice(bytes);
    let read = kombu::read(&raw);
    let again = kombu::read(&kombu::write(&read, &ROUTE));
    assert_eq!(again.body, read.body, "what was read is not what is written");
    assert_eq!((again.headers, again.priority), (read.headers.clone(), read.priority));
    check(&read);
}

fn headers(bytes: &[u8]) {
    let body = br#"[[],{},{"callbacks":null}]"#;
    let headers = Bytes::copy_from_slice(bytes);
    check(&Message { headers, ..message("", cardoon_protocol::JSON, body) });
}

fn v2(content_type: &'static str, body: &[u8]) {
    check(&message(r#"{"task":"t"}"#, content_type, body));
}

fn compressed(method: &str, body: &[u8]) {
    let headers = format!(r#"{{"task":"t","compression":"{method}"}}"#);
    check(&message(&headers, cardoon_protocol::JSON, body));
}

fn message(headers: &str, content_type: &'static str, body: &[u8]) -> Message {
    Message {
        id: TaskId::new("t").expect("a letter is an id"),
        attempt: 0,
        task: String::new(),
        priority: Priority::default(),
        expires: None,
        content_type: content_type.into(),
        content_encoding: "utf-8".into(),
        headers: headers.to_owned().into(),
        body: Bytes::copy_from_slice(body),
    }
}

/// What is understood keeps the limits, holds valid JSON, and can be tried again.
fn check(message: &Message) {
    let Ok(call) = decode(message, &LIMITS) else { return };
    let (args, kwargs) = (call.arguments.args(), call.arguments.kwargs());
    assert!(args.len() + kwargs.len() <= LIMITS.max_bytes, "more bytes than allowed");
    assert!(args.starts_with(b"[") && kwargs.starts_with(b"{"));
    for value in [args, kwargs].into_iter().filter_map(|json| value_of(json)) {
        assert!(depth(&value) <= LIMITS.max_depth, "deeper than allowed");
    }
    let next = next_attempt(message, 7, Timestamp(0)).expect("a message that was decoded can be tried again");
    let again = decode(&next, &Limits { max_bytes: 2 * LIMITS.max_bytes, ..LIMITS }).expect("as it was");
    assert_eq!((again.task, again.eta), (call.task, Some(Timestamp(0))));
    if let Ok(mut bound) = call.arguments.bind(&["a", "b", "c"]) {
        _ = bound.take::<String>(0);
        _ = bound.take::<Vec<u8>>(1);
        _ = bound.take::<i64>(2);
    }
}

/// The value of valid JSON; `None` if it holds a number that is beyond all of our types.
fn value_of(json: &[u8]) -> Option<Value> {
    let _: &RawValue = serde_json::from_slice(json).expect("arguments are JSON");
    match serde_json::from_slice(json) {
        Ok(value) => Some(value),
        Err(error) => {
            assert!(error.to_string().contains("number out of range"), "{error}");
            None
        }
    }
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(values) => 1 + values.iter().map(depth).max().unwrap_or(0),
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

fn result(bytes: &[u8]) {
    if let Ok(Some(record)) = celery_result::read(bytes) {
        let again = celery_result::read(&celery_result::write(&record)).expect("what was written is read");
        assert_eq!(again, Some(record));
    }
}

fn value(bytes: &[u8]) {
    _ = from_json::<Value>(bytes);
    _ = from_json::<String>(bytes);
    _ = from_json::<Timestamp>(bytes);
    _ = from_json::<f64>(bytes);
    _ = from_json::<Vec<u8>>(bytes);
    _ = from_json::<std::collections::BTreeMap<String, Option<Vec<(String, Bytes)>>>>(bytes);
    _ = from_json::<(i64, Vec<String>)>(bytes);
}
