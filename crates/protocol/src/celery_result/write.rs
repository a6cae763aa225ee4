use bytes::Bytes;
use cardoon_core::{ResultRecord, TaskFailure, TaskState};
use serde_json::value::RawValue;

use super::{Ours, exception};
use crate::json_text::{put_number, put_string};
use crate::wire_time;

/// The document of `record`. Its value is written when it succeeded, its failure when it did not.
///
/// What failed carries an exception that Celery's clients can raise, even when no failure is known.
pub fn write(record: &ResultRecord) -> Bytes {
    let mut json = Vec::with_capacity(capacity(record));
    json.extend_from_slice(b"{\"status\":");
    put_string(&mut json, record.state.as_str());
    json.extend_from_slice(b",\"result\":");
    let own = put_result(&mut json, record);
    json.extend_from_slice(b",\"traceback\":");
    put_or_null(&mut json, details(record));
    json.extend_from_slice(b",\"children\":[],\"date_done\":");
    let done = record.state.is_final().then(|| wire_time::write(record.finished_at)).flatten();
    put_or_null(&mut json, done.as_deref());
    put_names(&mut json, record);
    json.extend_from_slice(b",\"cardoon\":");
    // Writing numbers and a string to memory has no way to fail.
    _ = serde_json::to_writer(&mut json, &ours(record, own));
    json.push(b'}');
    json.into()
}

/// What an exception says otherwise than the failure.
#[derive(Default)]
struct Own {
    kind: Option<String>,
    message: Option<String>,
}

/// Appends the value or the exception.
fn put_result(json: &mut Vec<u8>, record: &ResultRecord) -> Own {
    if record.state == TaskState::Success {
        json.extend_from_slice(record.value.as_deref().unwrap_or(b"null"));
        return Own::default();
    }
    match &record.failure {
        Some(failure) => put_exception(json, &failure.kind, &failure.message, failure.arguments.as_deref()),
        None if record.state == TaskState::Revoked => put_exception(json, "Revoked", "revoked", None),
        None => put_exception(json, "Exception", "it is not known why", None),
    }
}

fn put_exception(json: &mut Vec<u8>, kind: &str, message: &str, arguments: Option<&str>) -> Own {
    let class = exception::class(kind);
    let arguments = arguments.filter(|arguments| serde_json::from_str::<Vec<&RawValue>>(arguments).is_ok());
    json.extend_from_slice(b"{\"exc_type\":");
    put_string(json, class.name);
    json.extend_from_slice(b",\"exc_message\":");
    if let Some(arguments) = arguments {
        json.extend_from_slice(arguments.as_bytes());
    } else {
        json.push(b'[');
        put_string(json, message);
        json.push(b']');
    }
    json.extend_from_slice(b",\"exc_module\":");
    put_or_null(json, class.module);
    json.push(b'}');
    Own {
        kind: (class.name != kind).then(|| kind.to_owned()),
        message: arguments.map(|_| message.to_owned()),
    }
}

fn details(record: &ResultRecord) -> Option<&str> {
    let failure = record.failure.as_ref().filter(|_| record.state != TaskState::Success);
    failure.map(|failure| failure.details.as_str()).filter(|details| !details.is_empty())
}

fn put_names(json: &mut Vec<u8>, record: &ResultRecord) {
    json.extend_from_slice(b",\"task_id\":");
    put_string(json, record.id.as_str());
    json.extend_from_slice(b",\"name\":");
    put_string(json, &record.task);
    json.extend_from_slice(b",\"worker\":");
    put_string(json, &record.worker);
    json.extend_from_slice(b",\"retries\":");
    put_number(json, record.attempt);
    json.extend_from_slice(b",\"queue\":");
    put_string(json, record.queue.as_str());
}

fn ours(record: &ResultRecord, own: Own) -> Ours {
    let nothing = match record.state {
        TaskState::Success => record.value.is_none(),
        _ => record.failure.is_none(),
    };
    Ours {
        run: record.run.0,
        attempt: record.attempt,
        started_at: record.started_at.map(|time| time.0),
        finished_at: record.finished_at.0,
        kind: own.kind.filter(|_| !nothing),
        message: own.message.filter(|_| !nothing),
        nothing,
    }
}

fn put_or_null(json: &mut Vec<u8>, text: Option<&str>) {
    match text {
        Some(text) => put_string(json, text),
        None => json.extend_from_slice(b"null"),
    }
}

/// Enough for everything unless a string needs escapes.
fn capacity(record: &ResultRecord) -> usize {
    const FIXED: usize = 512;
    let failure = |failure: &TaskFailure| {
        failure.kind.len() * 2
            + failure.message.len()
            + failure.details.len()
            + failure.arguments.as_ref().map_or(0, |arguments| arguments.len())
    };
    let names =
        [record.id.as_str().len(), record.task.len(), record.worker.len(), record.queue.as_str().len()];
    FIXED
        + names.iter().sum::<usize>()
        + record.value.as_ref().map_or(0, Bytes::len)
        + record.failure.as_ref().map_or(0, failure)
}
