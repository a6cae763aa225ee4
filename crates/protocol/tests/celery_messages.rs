//! Messages that real Celery programs wrote (`vectors/`: Celery 5.7.0 with kombu 5.7.0).
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use cardoon_core::{DeadReason, Message, Priority, TaskId, Timestamp};
use cardoon_protocol::{Incoming, Limits, Undecodable, decode};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

#[derive(Deserialize)]
struct Vector {
    content_type: String,
    content_encoding: String,
    headers: Box<RawValue>,
    body: Option<String>,
    body_hex: Option<String>,
}

fn message(name: &str) -> Message {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(name).with_extension("json");
    let vector: Vector = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let body = vector.body.map(Bytes::from).or(vector.body_hex.map(|hex| bytes_of(&hex))).unwrap();
    Message {
        id: TaskId::new("t").unwrap(),
        attempt: 0,
        task: String::new(),
        priority: Priority::default(),
        expires: None,
        content_type: vector.content_type.into(),
        content_encoding: vector.content_encoding.into(),
        headers: vector.headers.get().to_owned().into(),
        body,
    }
}

fn bytes_of(hex: &str) -> Bytes {
    let digits = hex.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    digits.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

fn decoded(name: &str) -> Incoming {
    decode(&message(name), &Limits::default()).unwrap()
}

fn refused(name: &str) -> Undecodable {
    decode(&message(name), &Limits::default()).unwrap_err()
}

#[test]
fn a_plain_call_is_understood() {
    let incoming = decoded("01_simple");
    assert_eq!(incoming.task, "cap.add");
    let mut bound = incoming.arguments.bind(&["x", "y"]).unwrap();
    assert_eq!((bound.take::<i64>(0).unwrap(), bound.take::<i64>(1).unwrap()), (2, 3));
    assert_eq!(incoming.root_id.unwrap().as_str(), "1995195c-bb01-42f3-8492-db3c3cfa3476");
    assert_eq!((incoming.eta, incoming.expires, incoming.parent_id), (None, None, None));
    assert!(!incoming.ignore_result);
}

#[test]
fn named_arguments_arrive_with_their_text_intact() {
    let incoming = decoded("02_kwargs");
    let mut bound = incoming.arguments.bind(&["n", "a", "b"]).unwrap();
    assert_eq!(bound.take::<String>(1).unwrap(), "中文");
    assert_eq!(bound.take::<Value>(2).unwrap(), serde_json::json!([1, 2.5, null, true]));
}

#[test]
fn times_and_limits_are_read() {
    let timed = decoded("03_eta");
    assert_eq!(timed.eta, Some(Timestamp(1_935_817_689_123)));
    assert_eq!(timed.expires, Some(Timestamp(1_795_415_862_752)));
    let limited = decoded("04_countdown_limits");
    assert_eq!(limited.time_limit, Some(Duration::from_secs(30)));
    assert_eq!(limited.soft_time_limit, Some(Duration::from_secs(20)));
    assert!(decoded("15_ignore_result").ignore_result);
}

#[test]
fn a_compressed_body_is_unpacked() {
    let incoming = decoded("13_zlib");
    let text: String = incoming.arguments.bind(&["x"]).unwrap().take(0).unwrap();
    assert!(text.len() == 500 && text.bytes().all(|byte| byte == b'x'));
}

#[test]
fn values_of_kombus_own_types_reach_the_task_as_they_were_sent() {
    let incoming = decoded("17_json_ext_types");
    let names = ["datetime", "date", "time", "decimal", "uuid", "bytes"];
    let day: Value = incoming.arguments.bind(&names).unwrap().take(1).unwrap();
    assert_eq!(day, serde_json::json!({"__type__": "date", "__value__": "2030-01-02"}));
}

#[test]
fn other_serialisers_are_refused_by_name() {
    for (name, content) in
        [("12_pickle", "application/x-python-serialize"), ("10_msgpack", "application/x-msgpack")]
    {
        let refusal = refused(name);
        assert_eq!(refusal.reason, DeadReason::Refused);
        assert!(refusal.detail.contains(content), "{refusal}");
    }
}

#[test]
fn a_workflow_is_refused_rather_than_executed_in_part() {
    assert!(refused("05_chain").detail.contains("chain"));
    assert!(refused("08_link_errback").detail.contains("callbacks"));
}
