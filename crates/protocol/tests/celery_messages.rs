//! Messages that real Celery programs wrote (`vectors/`).
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use cardoon_core::{DeadReason, Message, Priority, TaskId, Timestamp};
use cardoon_protocol::{Incoming, Limits, Undecodable, decode, kombu};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

fn vectors(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(folder)
}

#[derive(Deserialize)]
struct Capture {
    messages: Vec<Captured>,
}

#[derive(Deserialize)]
struct Captured {
    list_key: String,
    raw: String,
}

fn captured(name: &str) -> Vec<Captured> {
    let path = vectors("messages").join(name).with_extension("json");
    let capture: Capture = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    capture.messages
}

fn messages(name: &str) -> Vec<Message> {
    captured(name).into_iter().map(|message| kombu::read(&message.raw.into())).collect()
}

fn message(name: &str) -> Message {
    messages(name).remove(0)
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
fn the_envelope_says_what_a_broker_needs() {
    let message = message("03_eta");
    assert_eq!(message.task, "cap.add");
    assert_eq!((message.attempt, message.priority), (0, Priority::HIGHEST));
    assert_eq!(message.expires, Some(Timestamp(1_795_415_862_752)));
    assert_eq!((&*message.content_type, &*message.content_encoding), ("application/json", "utf-8"));
    let headers: Value = serde_json::from_slice(&message.headers).unwrap();
    assert_eq!(headers["id"], message.id.as_str());
}

#[test]
fn unknown_headers_stay() {
    let headers: Value = serde_json::from_slice(&message("04_countdown_limits").headers).unwrap();
    assert_eq!(headers["x-custom"], "v");
}

#[test]
fn named_arguments_arrive_with_their_text_intact() {
    let incoming = decoded("02_kwargs");
    let mut bound = incoming.arguments.bind(&["n", "a", "b"]).unwrap();
    assert_eq!(bound.take::<String>(1).unwrap(), "中文");
    assert_eq!(bound.take::<Value>(2).unwrap(), json!([1, 2.5, null, true]));
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
fn the_members_of_a_group_are_three_calls() {
    let group = messages("06_group");
    let args =
        group.iter().map(|message| decode(message, &Limits::default()).unwrap().arguments.args().clone());
    assert_eq!(args.collect::<Vec<_>>(), ["[0, 0]", "[1, 1]", "[2, 2]"]);
}

#[test]
fn each_priority_is_in_the_list_that_its_level_says() {
    let (captured, read) = (captured("09_priority"), messages("09_priority"));
    assert_eq!(read.iter().map(|message| message.priority.level()).collect::<Vec<_>>(), [9, 6, 4, 0]);
    for (captured, message) in captured.iter().zip(read) {
        let level = kombu::level(message.priority);
        assert_eq!(kombu::list_key(&"celery".parse().unwrap(), level), captured.list_key);
    }
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
    assert_eq!(day, json!({"__type__": "date", "__value__": "2030-01-02"}));
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
    assert!(refused("07_chord").detail.contains("chord"));
    assert!(refused("08_link_errback").detail.contains("callbacks"));
}

#[test]
fn an_envelope_is_read_as_it_was_written() {
    for file in std::fs::read_dir(vectors("messages")).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        for message in messages(name.trim_end_matches(".json")) {
            let route =
                kombu::Route { exchange: "", routing_key: "celery", delivery_tag: "t", reply_to: "r" };
            assert_eq!(kombu::read(&kombu::write(&message, &route)), message, "{name}");
        }
    }
}

#[derive(Deserialize)]
struct AmqpMessage {
    headers: Box<RawValue>,
    content_type: String,
    content_encoding: String,
    body_bytes_b64: String,
}

impl AmqpMessage {
    fn into_message(self) -> Message {
        Message {
            id: TaskId::new("t").unwrap(),
            attempt: 0,
            task: String::new(),
            priority: Priority::default(),
            expires: None,
            content_type: self.content_type.into(),
            content_encoding: self.content_encoding.into(),
            headers: self.headers.get().to_owned().into(),
            body: Bytes::from(STANDARD.decode(self.body_bytes_b64).unwrap()),
        }
    }
}

#[test]
fn messages_from_rabbitmq_have_the_same_bodies() {
    let json = std::fs::read(vectors("amqp").join("20_amqp_messages.json")).unwrap();
    let messages: Vec<AmqpMessage> = serde_json::from_slice(&json).unwrap();
    for message in messages.into_iter().take(2) {
        let call = decode(&message.into_message(), &Limits::default()).unwrap();
        assert_eq!((call.task.as_str(), &call.arguments.args()[..]), ("acap.add", &b"[1, 2]"[..]));
    }
}
