//! The ends of runs, as they are stored.

use std::time::Duration;

use bytes::Bytes;
use cardoon_core::run::{RunRecord, end_unrun};
use cardoon_core::{Message, QueueName, ResultRecord, RunNumber, TaskFailure, TaskState, Timestamp};
use cardoon_protocol::celery_result;

use super::change::Change;
use super::known::{Known, write_record};
use crate::keys;
use crate::options::Retention;

/// Runs of a task that its history has at most.
pub(crate) const HISTORY: usize = 100;

/// Whether the task wants no result to be kept of this end. What failed is kept all the same.
pub(crate) fn is_ignored(record: &ResultRecord) -> bool {
    record.state == TaskState::Success && record.value.is_none()
}

/// The result as it is stored, empty if none is.
pub(crate) fn document(record: &ResultRecord) -> Bytes {
    if is_ignored(record) { Bytes::new() } else { celery_result::write(record) }
}

/// Stores an accepted end, with the run record after it. `needed`: how much longer than usual that is needed.
pub(crate) fn store(
    change: Change,
    record: &ResultRecord,
    known: &Known,
    after: RunRecord,
    retention: &Retention,
    needed: Duration,
) -> Change {
    let document = document(record);
    // A first run that ends with a result needs no record besides: the result says all.
    let says_all =
        !known.has_run() && after.ended && after.current == RunNumber::FIRST && !document.is_empty();
    let mut change = change;
    if document.is_empty() {
        // What it said while it ran is not how it ended.
        change = change.then("DEL", keys::result(&record.id), []);
    } else {
        let key = keys::result(&record.id);
        change = change.then("SETEX", key.clone(), [seconds(retention.results), document.clone()]).then(
            "PUBLISH",
            key,
            [document],
        );
    }
    if !says_all {
        change = register(change, record, after, retention.fences + needed);
    }
    remember(change, record, retention)
}

fn register(change: Change, record: &ResultRecord, after: RunRecord, kept: Duration) -> Change {
    change.then("SETEX", keys::run(&record.id), [seconds(kept), write_record(after)])
}

fn remember(change: Change, record: &ResultRecord, retention: &Retention) -> Change {
    let Some(kept) = retention.history else { return change };
    let key = keys::history(&record.id);
    change
        .then("RPUSH", key.clone(), [line(record)])
        .then("LTRIM", key.clone(), [format!("-{HISTORY}").into(), Bytes::from_static(b"-1")])
        .then("EXPIRE", key, [seconds(kept)])
}

/// A run's line in the history.
pub(crate) fn line(record: &ResultRecord) -> Bytes {
    celery_result::write(record)
}

/// The end of a task whose message leaves without a run of its own: what is recorded, and the run record after it.
/// `None` if the task has ended already.
pub(crate) fn unexecuted(
    message: &Message,
    queue: &QueueName,
    known: &Known,
    state: TaskState,
    failure: Option<TaskFailure>,
    now: Timestamp,
) -> Option<(ResultRecord, RunRecord)> {
    let after = end_unrun(known.record(), message.attempt)?;
    let record = ResultRecord::without_run(message, queue.clone(), state, after.current, failure, now);
    Some((record, after))
}

/// A time to live, as commands take it: at least a second.
pub(crate) fn seconds(duration: Duration) -> Bytes {
    duration.as_secs().max(1).to_string().into()
}
