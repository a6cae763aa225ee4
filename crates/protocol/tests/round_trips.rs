//! What is written for kombu's and Celery's readers is read back as it was.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use bytes::Bytes;
use cardoon_core::{
    Message, Priority, QueueName, ResultRecord, RunNumber, Signature, SignatureOptions, TaskFailure, TaskId,
    TaskState, Timestamp,
};
use cardoon_protocol::{celery_result, encode, kombu, next_attempt};
use proptest::prelude::*;
use serde_json::{Value, json};

fn times() -> impl Strategy<Value = Timestamp> {
    (0i64..4_000_000_000_000).prop_map(Timestamp)
}

fn ids() -> impl Strategy<Value = TaskId> {
    "\\PC{1,40}".prop_map(|text| TaskId::new(text).unwrap())
}

prop_compose! {
    fn messages()(
        task in "\\PC{1,40}",
        text in any::<String>(),
        id in ids(),
        // Those that a level on Redis stands for.
        level in prop::sample::select(vec![0u8, 2, 3, 4, 7, 9]),
        expires in prop::option::of(times()),
        attempt in 0u32..5,
    ) -> Message {
        let options = SignatureOptions { priority: Some(Priority::new(level)), expires, ..SignatureOptions::default() };
        let args = serde_json::to_vec(&[text]).unwrap().into();
        let message = encode(&Signature { task, args, kwargs: "{}".into(), options }, id, "tests").unwrap();
        if attempt == 0 { message } else { next_attempt(&message, attempt, Timestamp(7)).unwrap() }
    }
}

prop_compose! {
    fn failures()(
        kind in prop_oneof![Just("ValueError".to_owned()), Just("Revoked".to_owned()), any::<String>()],
        message in any::<String>(),
        details in any::<String>(),
        arguments in prop::option::of((any::<i64>(), any::<String>())),
    ) -> TaskFailure {
        let arguments = arguments.map(|(number, text)| json!([number, text]).to_string().into());
        TaskFailure { kind, message, details, arguments }
    }
}

fn ends() -> impl Strategy<Value = (TaskState, Option<Bytes>, Option<TaskFailure>)> {
    let values = prop_oneof![
        Just(json!(null)),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from)
    ];
    let values = values.prop_map(|value| Bytes::from(serde_json::to_vec(&value).unwrap()));
    let failed = prop_oneof![Just(TaskState::Failure), Just(TaskState::Retry), Just(TaskState::Revoked)];
    prop_oneof![
        prop::option::of(values).prop_map(|value| (TaskState::Success, value, None)),
        (failed, prop::option::of(failures())).prop_map(|(state, failure)| (state, None, failure)),
    ]
}

prop_compose! {
    fn records()(
        id in ids(),
        task in any::<String>(),
        queue in "\\PC{1,20}",
        (state, value, failure) in ends(),
        run: u64,
        attempt: u32,
        worker in any::<String>(),
        started_at in prop::option::of(any::<i64>().prop_map(Timestamp)),
        finished_at in any::<i64>().prop_map(Timestamp),
    ) -> ResultRecord {
        let (queue, run) = (QueueName::new(queue).unwrap(), RunNumber(run));
        let worker = worker.into();
        ResultRecord { id, task, queue, state, run, attempt, value, failure, worker, started_at, finished_at }
    }
}

proptest! {
    #[test]
    fn an_envelope(message in messages(), routing_key: String, delivery_tag: String, reply_to: String) {
        let route = kombu::Route {
            exchange: "", routing_key: &routing_key, delivery_tag: &delivery_tag, reply_to: &reply_to,
        };
        let raw = kombu::write(&message, &route);
        prop_assert_eq!(kombu::read(&raw), message);
        let envelope: Value = serde_json::from_slice(&raw).unwrap();
        prop_assert_eq!(&envelope["properties"]["delivery_info"]["routing_key"], &Value::from(routing_key));
        prop_assert_eq!(&envelope["properties"]["delivery_tag"], &Value::from(delivery_tag));
        prop_assert_eq!(&envelope["properties"]["reply_to"], &Value::from(reply_to));
    }

    #[test]
    fn bytes_that_are_no_envelope(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let raw = Bytes::from(bytes);
        let message = kombu::read(&raw);
        prop_assert_eq!(&message.body, &raw);
        let route = kombu::Route { exchange: "", routing_key: "q", delivery_tag: "t", reply_to: "r" };
        prop_assert_eq!(kombu::write(&message, &route), raw);
    }

    #[test]
    fn a_result(record in records()) {
        let json = celery_result::write(&record);
        prop_assert_eq!(celery_result::read(&json).unwrap(), Some(record));
    }
}
