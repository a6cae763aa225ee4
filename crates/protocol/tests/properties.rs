//! What holds for all messages.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::time::Duration;

use bytes::Bytes;
use cardoon_core::{Message, Priority, Signature, SignatureOptions, TaskId, Timestamp};
use cardoon_protocol::{Limits, decode, encode, next_attempt};
use proptest::prelude::*;
use serde_json::{Map, Value};

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..5)
                .prop_map(|map| Value::from(map.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

fn options() -> impl Strategy<Value = SignatureOptions> {
    let time = prop::option::of((0i64..4_000_000_000_000).prop_map(Timestamp));
    let limit = prop::option::of((1u64..100_000_000).prop_map(Duration::from_millis));
    (time.clone(), time, limit.clone(), limit, any::<Option<bool>>()).prop_map(
        |(eta, expires, time_limit, soft_time_limit, ignore_result)| SignatureOptions {
            eta,
            expires,
            time_limit,
            soft_time_limit,
            ignore_result,
            ..SignatureOptions::default()
        },
    )
}

fn json(value: &impl serde::Serialize) -> Bytes {
    serde_json::to_vec(value).unwrap().into()
}

fn strange(headers: Vec<u8>, body: Vec<u8>, content_type: String) -> Message {
    Message {
        id: TaskId::new("t").unwrap(),
        attempt: 0,
        task: String::new(),
        priority: Priority::default(),
        expires: None,
        content_type: content_type.into(),
        content_encoding: "utf-8".into(),
        headers: headers.into(),
        body: body.into(),
    }
}

proptest! {
    #[test]
    fn a_message_is_decoded_to_what_was_encoded(
        task in "[^\\x00]{1,40}",
        args in prop::collection::vec(values(), 0..4),
        kwargs in prop::collection::btree_map(any::<String>(), values(), 0..4),
        options in options(),
        attempt in 1u32..1000,
    ) {
        let signature = Signature { task: task.clone(), args: json(&args), kwargs: json(&kwargs), options: options.clone() };
        let first = encode(&signature, TaskId::new("id-1").unwrap(), "origin").unwrap();
        let incoming = decode(&first, &Limits::default()).unwrap();
        prop_assert_eq!(&incoming.task, &task);
        prop_assert_eq!(incoming.arguments.args(), &signature.args);
        prop_assert_eq!(incoming.arguments.kwargs(), &signature.kwargs);
        prop_assert_eq!((incoming.eta, incoming.expires), (options.eta, options.expires));
        prop_assert_eq!(incoming.time_limit, options.time_limit);
        prop_assert_eq!(incoming.soft_time_limit, options.soft_time_limit);
        prop_assert_eq!(incoming.ignore_result, options.ignore_result.unwrap_or(false));

        let again = next_attempt(&first, attempt, Timestamp(7)).unwrap();
        let retried = decode(&again, &Limits::default()).unwrap();
        prop_assert_eq!(retried.eta, Some(Timestamp(7)));
        prop_assert_eq!(retried.arguments, incoming.arguments);
    }

    #[test]
    fn arbitrary_bytes_are_answered_without_a_panic(
        headers in prop::collection::vec(any::<u8>(), 0..200),
        body in prop::collection::vec(any::<u8>(), 0..200),
        content_type: String,
    ) {
        _ = decode(&strange(headers.clone(), body.clone(), content_type), &Limits::default());
        _ = decode(&strange(br#"{"task": "t"}"#.to_vec(), body.clone(), "application/json".into()), &Limits::default());
        _ = decode(&strange(br#"{"task": "t", "compression": "gzip"}"#.to_vec(), body, "application/json".into()), &Limits::default());
    }

    #[test]
    fn a_damaged_message_is_answered_without_a_panic(at in 0usize..600, byte: u8) {
        let signature = Signature {
            task: "task".into(),
            args: json(&(1, "two", [3])),
            kwargs: json(&serde_json::json!({"a": {"b": null}})),
            options: SignatureOptions::default(),
        };
        let message = encode(&signature, TaskId::new("id-1").unwrap(), "origin").unwrap();
        let damaged = |bytes: &Bytes| {
            let mut bytes = bytes.to_vec();
            let at = at % bytes.len();
            bytes[at] = byte;
            bytes
        };
        _ = decode(&Message { headers: damaged(&message.headers).into(), ..message.clone() }, &Limits::default());
        if let Ok(incoming) = decode(&Message { body: damaged(&message.body).into(), ..message }, &Limits::default()) {
            _ = incoming.arguments.bind(&["x", "y", "z", "a"]).map(|mut bound| bound.take::<i64>(0));
        }
    }
}
