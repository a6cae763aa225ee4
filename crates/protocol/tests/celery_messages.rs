//! Messages that real Celery programs wrote (`vectors/`).
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use cardoon_core::{DeadReason, Message, Priority, TaskId, Timestamp};
use cardoon_protocol::{Incoming, Limits, Undecodable, decode, kombu, next_attempt};
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
    assert_eq!((message.attempt, message.priority), (0, Priority::default()));
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
    assert_eq!(read.iter().map(|message| message.priority.level()).collect::<Vec<_>>(), [4, 3, 3, 0]);
    for (captured, message) in captured.iter().zip(read) {
        let level = kombu::level(message.priority);
        assert_eq!(kombu::list_key(&"celery".parse().unwrap(), level), captured.list_key);
    }
}

#[test]
fn values_of_kombus_own_types_reach_the_task_in_the_types_that_it_asks_for() {
    let incoming = decoded("17_json_ext_types");
    let names = ["datetime", "date", "time", "decimal", "uuid", "bytes"];
    let bind = || incoming.arguments.bind(&names).unwrap();
    let texts: Vec<String> = (0..5).map(|index| bind().take(index).unwrap()).collect();
    let uuid = "12345678-1234-5678-1234-567812345678";
    assert_eq!(texts, ["2030-01-02T03:04:05.000006+00:00", "2030-01-02", "03:04:05", "1.50", uuid]);
    assert_eq!(bind().take::<Timestamp>(0).unwrap(), Timestamp(1_893_553_445_000));
    assert_eq!(bind().take::<Vec<u8>>(5).unwrap(), [0xff, 0]);
    assert_eq!(bind().take::<Bytes>(5).unwrap(), &[0xff, 0][..]);
    assert_eq!(bind().take::<Value>(1).unwrap(), extension("date", "2030-01-02"));
}

fn args(name: &str) -> Value {
    serde_json::from_slice(decoded(name).arguments.args()).unwrap()
}

fn kwargs(name: &str) -> Value {
    serde_json::from_slice(decoded(name).arguments.kwargs()).unwrap()
}

fn extension(kind: &str, value: impl Into<Value>) -> Value {
    json!({"__type__": kind, "__value__": value.into()})
}

/// What the captures 30, 32 and 33 sent, as it is in JSON.
fn sent_values() -> [Value; 6] {
    [
        extension("datetime", "2030-01-02T03:04:05.000006+00:00"),
        extension("date", "2030-01-02"),
        extension("bytes", "plain"),
        extension("base64", "/wA="),
        json!([1, -2, 2.5, 1e20, null, true, 1u64 << 63]),
        json!({"中文": "a\nb", "yes": "no", "n": "1:30", "": []}),
    ]
}

#[test]
fn every_serialiser_brings_the_same_values() {
    assert_eq!(args("10_msgpack"), json!([1, extension("base64", "AP8=")]));
    assert_eq!(args("30_yaml"), json!(sent_values()));
    assert_eq!(args("32_msgpack_types"), json!(sent_values()[2..]));
    let more =
        [extension("decimal", "1.50"), extension("uuid", json!({"hex": "12345678123456781234567812345678"}))];
    assert_eq!(args("33_json_types"), json!([sent_values().as_slice(), more.as_slice()].concat()));
    for name in ["30_yaml", "32_msgpack_types"] {
        assert_eq!(kwargs(name), json!({"key": [1, {"b": null}]}));
    }
}

#[test]
fn anchors_of_yaml_are_written_out() {
    let shared = json!([1, {"a": "b"}]);
    assert_eq!(args("31_yaml_anchors"), json!([shared, shared]));
    assert_eq!(kwargs("31_yaml_anchors"), json!({"again": shared}));
}

#[test]
fn every_compression_is_unpacked() {
    for name in ["13_zlib", "34_bz2", "35_xz", "36_zstd", "37_yaml_zstd", "38_msgpack_xz"] {
        assert_eq!(args(name), json!(["x".repeat(500)]), "{name}");
    }
}

#[test]
fn a_retry_keeps_headers_that_nobody_knows() {
    let message = message("39_retry");
    assert_eq!(message.attempt, 2);
    let next = next_attempt(&message, 3, Timestamp(0)).unwrap();
    let headers = |message: &Message| serde_json::from_slice::<Value>(&message.headers).unwrap();
    let mut expected = headers(&message);
    expected["retries"] = json!(3);
    expected["eta"] = json!("1970-01-01T00:00:00+00:00");
    assert_eq!(headers(&next), expected);
    assert_eq!(expected["x-custom"], json!({"deep": [1]}));
}

#[test]
fn a_retry_carries_the_follow_ups_whole() {
    let chain = message("05_chain");
    assert_eq!(next_attempt(&chain, 1, Timestamp(0)).unwrap().body, chain.body);
}

#[test]
fn protocol_1_is_understood() {
    assert_eq!((args("40_v1"), kwargs("40_v1")), (json!([2, 3]), json!({"a": "b"})));
    assert_eq!(args("42_v1_msgpack"), json!([extension("base64", "/wA=")]));
    assert_eq!(args("43_v1_yaml_bz2"), json!([extension("date", "2030-01-02")]));
    for name in ["40_v1", "41_v1_options", "42_v1_msgpack", "43_v1_yaml_bz2"] {
        assert_eq!((message(name).task.as_str(), decoded(name).task.as_str()), ("cap.echo", "cap.echo"));
    }
    assert!(refused("44_v1_link").detail.contains("callbacks"));
}

#[test]
fn the_options_of_protocol_1_are_read() {
    let (message, call) = (message("41_v1_options"), decoded("41_v1_options"));
    assert_eq!((message.attempt, message.expires), (2, call.expires));
    assert_eq!(
        (call.time_limit, call.soft_time_limit),
        (Some(Duration::from_secs(30)), Some(Duration::from_secs(20)))
    );
    let [eta, expires] = [call.eta.unwrap(), call.expires.unwrap()];
    assert_eq!(expires.since(eta), Duration::from_mins(59));
    let next = next_attempt(&message, 3, Timestamp(0)).unwrap();
    let again = decode(&next, &Limits::default()).unwrap();
    assert_eq!(again, Incoming { eta: Some(Timestamp(0)), ..call });
    let route = kombu::Route { exchange: "", routing_key: "celery", delivery_tag: "t", reply_to: "r" };
    assert_eq!(kombu::read(&kombu::write(&next, &route)), next);
}

#[test]
fn pickle_is_refused_by_name() {
    let refusal = refused("12_pickle");
    assert_eq!(refusal.reason, DeadReason::Refused);
    assert!(refusal.detail.contains("application/x-python-serialize"), "{refusal}");
    assert!(refusal.detail.contains("accept_content"), "{refusal}");
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
    for message in messages {
        let call = decode(&message.into_message(), &Limits::default()).unwrap();
        assert_eq!(call.task, "acap.add");
        let mut bound = call.arguments.bind(&["x", "y"]).unwrap();
        assert_eq!((bound.take::<i64>(0).unwrap(), bound.take::<i64>(1).unwrap()), (1, 2));
    }
}
