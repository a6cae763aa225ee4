//! Results as Celery writes and reads them.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cardoon_core::{QueueName, ResultRecord, RunNumber, TaskFailure, TaskId, TaskState, Timestamp};
use cardoon_errors::Code;
use cardoon_protocol::celery_result::{read, write};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Stored {
    task_id: String,
    stored_b64: Option<String>,
}

/// What Celery stored, if it stored anything.
fn captured(name: &str) -> Option<ResultRecord> {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/results").join(name).with_extension("json");
    let stored: Stored = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let record = read(&STANDARD.decode(stored.stored_b64?).unwrap()).unwrap();
    assert!(record.as_ref().is_none_or(|record| record.id.as_str() == stored.task_id));
    record
}

fn value(name: &str) -> Value {
    let record = captured(name).unwrap();
    assert_eq!((record.state, record.failure), (TaskState::Success, None));
    serde_json::from_slice(&record.value.unwrap()).unwrap()
}

#[test]
fn results_of_celery_are_read() {
    assert_eq!(value("50_success"), json!([1, "中文", null]));
    assert_eq!(value("51_none"), json!(null));
    assert_eq!(value("52_types")[4], json!({"__type__": "decimal", "__value__": "1.50"}));
    assert_eq!(value("60_success_not_extended"), 7);
    for name in ["61_success_gzip", "62_success_bzip2", "63_success_lzma", "64_success_zstd"] {
        assert_eq!(value(name), json!("x".repeat(200)), "{name}");
    }
    let record = captured("50_success").unwrap();
    assert_eq!((record.task.as_str(), record.queue.as_str(), record.attempt), ("cap.echo", "celery", 0));
    assert!(!record.worker.is_empty() && record.finished_at > Timestamp(1_700_000_000_000));
}

#[test]
fn failures_of_celery_are_read() {
    let failure = |name, state| {
        let record = captured(name).unwrap();
        assert_eq!((record.state, record.value), (state, None));
        record.failure.unwrap()
    };
    let builtin = failure("53_failure_builtin", TaskState::Failure);
    assert_eq!((builtin.kind.as_str(), builtin.message.as_str()), ("ValueError", "('no good', 7)"));
    assert!(builtin.details.starts_with("Traceback (most recent call last):"));
    let own = failure("54_failure_own", TaskState::Failure);
    assert_eq!((own.kind.as_str(), own.message.as_str()), ("__main__.OwnError", "of our own"));
    assert_eq!(failure("55_failure_key", TaskState::Failure).message, "missing");
    assert_eq!(failure("56_retry", TaskState::Retry).kind, "RuntimeError");
    let expired = failure("59_expired", TaskState::Revoked);
    assert_eq!((expired.kind.as_str(), expired.message.as_str()), ("TaskRevokedError", "expired"));
}

#[test]
fn a_task_that_celery_has_not_ended_has_no_record() {
    assert_eq!(captured("57_ignored"), None);
    assert_eq!(captured("58_custom_state"), None);
}

fn record(state: TaskState) -> ResultRecord {
    ResultRecord {
        id: TaskId::new("t").unwrap(),
        task: "add".into(),
        queue: QueueName::default_queue(),
        state,
        run: RunNumber(3),
        attempt: 1,
        value: None,
        failure: None,
        worker: "w1@host".into(),
        started_at: Some(Timestamp(1_700_000_000_000)),
        finished_at: Timestamp(1_700_000_000_250),
    }
}

fn written(record: &ResultRecord) -> Value {
    serde_json::from_slice(&write(record)).unwrap()
}

#[test]
fn a_success_has_the_members_that_celery_writes_and_one_of_ours() {
    let record = ResultRecord { value: Some("[1, 2]".into()), ..record(TaskState::Success) };
    let expected = json!({
        "status": "SUCCESS", "result": [1, 2], "traceback": null, "children": [],
        "date_done": "2023-11-14T22:13:20.250000+00:00", "task_id": "t",
        "name": "add", "worker": "w1@host", "retries": 1, "queue": "celery",
        "cardoon": {"run": 3, "attempt": 1, "started_at": 1_700_000_000_000i64, "finished_at": 1_700_000_000_250i64},
    });
    assert_eq!(written(&record), expected);
}

#[test]
fn a_failure_is_an_exception_that_celery_can_raise() {
    let failure = TaskFailure { details: "a\nb".into(), ..TaskFailure::new("ValueError", "no \"good\"") };
    let written = written(&ResultRecord { failure: Some(failure), ..record(TaskState::Failure) });
    let exception =
        json!({"exc_type": "ValueError", "exc_message": ["no \"good\""], "exc_module": "builtins"});
    assert_eq!((&written["result"], &written["traceback"]), (&exception, &json!("a\nb")));
}

#[test]
fn every_end_but_success_has_an_exception_even_when_none_is_known() {
    let exception = |state| written(&record(state))["result"]["exc_type"].clone();
    assert_eq!(exception(TaskState::Revoked), "TaskRevokedError");
    assert_eq!(exception(TaskState::Failure), "Exception");
    let retry = written(&record(TaskState::Retry));
    assert_eq!((&retry["status"], &retry["date_done"]), (&json!("RETRY"), &json!(null)));
}

#[test]
fn what_celery_leaves_out_takes_its_default() {
    let json = r#"{"status": "SUCCESS", "result": {"__type__": "date", "__value__": "2030-01-02"}, "traceback": null,
        "children": [], "date_done": "2026-11-23T06:38:58.237209+00:00", "task_id": "t"}"#;
    let record = read(json.as_bytes()).unwrap().unwrap();
    assert_eq!(record.value.unwrap(), r#"{"__type__": "date", "__value__": "2030-01-02"}"#);
    assert_eq!((record.run, record.attempt, record.started_at), (RunNumber::FIRST, 0, None));
    assert_eq!((record.task.as_str(), &*record.worker, record.queue.as_str()), ("", "", "celery"));
    assert_eq!(record.finished_at, Timestamp(1_795_415_938_237));
}

#[test]
fn exceptions_of_celery_are_shown_as_python_shows_them() {
    let failure = |result: &str| {
        let json =
            format!(r#"{{"status": "FAILURE", "task_id": "t", "traceback": "tb", "result": {result}}}"#);
        let failure = read(json.as_bytes()).unwrap().unwrap().failure.unwrap();
        assert_eq!(failure.details, "tb");
        (failure.kind, failure.message)
    };
    let shown = |message: &str| {
        failure(&format!(r#"{{"exc_type": "E", "exc_message": {message}, "exc_module": "m"}}"#)).1
    };
    assert_eq!(shown(r#"["no"]"#), "no");
    assert_eq!(shown("[]"), "");
    assert_eq!(shown("[7]"), "7");
    assert_eq!(shown(r#"[2, "No such file"]"#), "(2, 'No such file')");
    assert_eq!(shown(r#""old style""#), "old style");
    assert_eq!(failure("null"), (String::new(), String::new()));
    assert_eq!(failure(r#""boom""#), (String::new(), "boom".into()));
}

#[test]
fn a_task_that_has_not_ended_has_no_record() {
    for status in ["STARTED", "RECEIVED", "PENDING", "PROGRESS"] {
        let json = format!(r#"{{"status": "{status}", "result": {{"pid": 7}}, "task_id": "t"}}"#);
        assert_eq!(read(json.as_bytes()).unwrap(), None);
    }
}

#[test]
fn what_is_no_result_is_an_error_with_its_code() {
    for bytes in [&b""[..], b"7", b"\x80\x04pickle", b"{}", br#"{"status": "SUCCESS", "task_id": ""}"#] {
        assert_eq!(read(bytes).unwrap_err().code(), Code::BadResult);
    }
}
