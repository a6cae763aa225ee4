//! From an end to a verdict, its record and its follow-ups.

use std::sync::Arc;

use bytes::Bytes;
use cardoon_broker::{Publish, Settle};
use cardoon_core::settle::Verdict;
use cardoon_core::{DeadReason, NextStep, ResultRecord, TaskFailure, TaskState, Timestamp};
use cardoon_errors::{Code, Error};

use super::Content;
use super::held::{Ending, Held};
use crate::TaskError;

/// So much is kept, in characters, of what a refused end said.
const MOST_DETAILS: usize = 1000;

/// A delivery's end.
#[derive(Debug)]
pub(super) struct Closed {
    pub settle: Settle,
    /// What happened, in words; empty if it went well.
    pub detail: String,
}

/// What an end is judged by.
pub(super) struct Limits {
    pub now: Timestamp,
    pub started_at: Timestamp,
    pub jitter: f64,
    pub max_result_bytes: usize,
}

pub(super) fn success(held: &Held, value: Bytes, limits: &Limits) -> Closed {
    if value.len() > limits.max_result_bytes {
        return failure(held, TaskError::result_too_large(value.len(), limits.max_result_bytes), limits);
    }
    let value = (!ignores_result(held)).then_some(value);
    closed(
        held,
        Verdict::Ack,
        record(held, TaskState::Success, value, None, limits.now, Some(limits.started_at)),
    )
}

/// A failed run is tried again as its task's policy says.
pub(super) fn failure(held: &Held, error: TaskError, limits: &Limits) -> Closed {
    if error.is_bad_arguments() {
        return failed(held, error.failure, DeadReason::BadArguments, limits);
    }
    match next_step(held, &error, limits.jitter) {
        NextStep::RetryIn(delay) => retry(held, error, limits.now.plus(delay), limits),
        NextStep::Exhausted => failed(held, error.failure, DeadReason::RetriesExhausted, limits),
        NextStep::GiveUp => failed(held, error.failure, DeadReason::Failed, limits),
    }
}

pub(super) fn revoked(held: &Held, limits: &Limits) -> Closed {
    let failure = TaskFailure::new("Revoked", "it was revoked while it ran");
    let record = record(held, TaskState::Revoked, None, Some(failure), limits.now, Some(limits.started_at));
    closed(held, Verdict::Ack, record)
}

/// The task refused its message, which goes to the dead letters.
pub(super) fn rejected(held: &Held, why: String, limits: &Limits) -> Closed {
    failed(held, TaskFailure::new("Rejected", why), DeadReason::Failed, limits)
}

/// The child process died over it, and it may not be tried again.
pub(super) fn child_died(held: &Held, how: &str, limits: &Limits) -> Closed {
    if held.early {
        return outcome_unknown(held, limits);
    }
    let deaths = held.delivery.deaths + 1;
    failed(held, poison(deaths, how), DeadReason::Poison, limits)
}

/// It was acknowledged early, had begun, and was interrupted.
pub(super) fn outcome_unknown(held: &Held, limits: &Limits) -> Closed {
    let (failure, started_at) = (unknown_outcome(), Some(limits.started_at));
    closed(held, Verdict::Ack, record(held, TaskState::Failure, None, Some(failure), limits.now, started_at))
}

/// Why a task is not tried on another process.
pub(super) fn poison(deaths: u32, how: &str) -> TaskFailure {
    TaskFailure::new("WorkerLost", format!("{deaths} processes died while they executed it; the last: {how}"))
}

fn unknown_outcome() -> TaskFailure {
    TaskFailure::new("OutcomeUnknown", "it had started and was acknowledged before, so it is not run again")
}

/// The store refused to keep the end that `detail` tells of.
pub(super) fn not_stored(
    held: &Held,
    detail: &str,
    started_at: Option<Timestamp>,
    error: &Error,
    now: Timestamp,
) -> Closed {
    let what = if detail.is_empty() { "it had succeeded" } else { detail };
    let message = format!("the store refused to keep how it ended [{}]: {error}", Code::NotStored);
    let details = what.chars().take(MOST_DETAILS).collect();
    let failure = TaskFailure { details, ..TaskFailure::new("NotStored", message) };
    let verdict = Verdict::Dead { reason: DeadReason::NotStored, detail: failure.message.clone() };
    closed(held, verdict, record(held, TaskState::Failure, None, Some(failure), now, started_at))
}

pub(super) fn without_run(held: &Held, ending: Ending, now: Timestamp) -> Closed {
    match ending {
        Ending::Revoked => {
            let failure = TaskFailure::new("Revoked", "it was revoked before it started");
            closed(held, Verdict::Ack, record(held, TaskState::Revoked, None, Some(failure), now, None))
        }
        Ending::Expired(expires) => {
            let late = now.since(expires).as_millis();
            let text = format!("it expired {late} ms before a worker could start it");
            let failure = TaskFailure::new("Expired", text);
            closed(held, Verdict::Ack, record(held, TaskState::Revoked, None, Some(failure), now, None))
        }
        Ending::OutcomeUnknown => {
            let failure = unknown_outcome();
            closed(held, Verdict::Ack, record(held, TaskState::Failure, None, Some(failure), now, None))
        }
        Ending::Dead(reason, failure) => {
            let verdict = Verdict::Dead { reason, detail: failure.message.clone() };
            closed(held, verdict, record(held, TaskState::Failure, None, Some(failure), now, None))
        }
    }
}

fn retry(held: &Held, error: TaskError, not_before: Timestamp, limits: &Limits) -> Closed {
    let message = &held.delivery.message;
    let attempt = message.attempt.saturating_add(1);
    let next = match error.new_arguments() {
        None => cardoon_protocol::next_attempt(message, attempt, not_before),
        Some((args, kwargs)) => {
            cardoon_protocol::next_attempt_with(message, attempt, not_before, args, kwargs)
        }
    };
    let next = match next {
        Ok(next) => next,
        Err(problem) => {
            let failure = TaskFailure { details: problem.to_string(), ..error.failure };
            return failed(held, failure, DeadReason::Malformed, limits);
        }
    };
    let started_at = Some(limits.started_at);
    let record = record(held, TaskState::Retry, None, Some(error.failure), limits.now, started_at);
    let mut closed = closed(held, Verdict::Ack, record);
    closed.settle.follow_ups.push(Publish {
        queue: held.delivery.queue.clone(),
        message: next,
        not_before: Some(not_before),
        resent: false,
    });
    closed
}

/// The end of a run that failed for good. Its message stays in the dead letters, from where it can be sent again.
fn failed(held: &Held, failure: TaskFailure, reason: DeadReason, limits: &Limits) -> Closed {
    let verdict = Verdict::Dead { reason, detail: failure.to_string() };
    let started_at = Some(limits.started_at);
    closed(held, verdict, record(held, TaskState::Failure, None, Some(failure), limits.now, started_at))
}

fn closed(held: &Held, verdict: Verdict, record: ResultRecord) -> Closed {
    let detail = record.failure.as_ref().map_or_else(String::new, ToString::to_string);
    let lease = held.delivery.lease;
    Closed { settle: Settle { lease, verdict, record: Some(record), follow_ups: Vec::new() }, detail }
}

fn record(
    held: &Held,
    state: TaskState,
    value: Option<Bytes>,
    failure: Option<TaskFailure>,
    finished_at: Timestamp,
    started_at: Option<Timestamp>,
) -> ResultRecord {
    ResultRecord {
        id: held.delivery.message.id.clone(),
        task: held.delivery.message.task.clone(),
        queue: held.delivery.queue.clone(),
        state,
        run: held.run,
        attempt: held.delivery.message.attempt,
        value,
        failure,
        worker: if started_at.is_some() { Arc::clone(&held.worker) } else { Arc::from("") },
        started_at,
        finished_at,
    }
}

fn next_step(held: &Held, error: &TaskError, jitter: f64) -> NextStep {
    let attempt = held.delivery.message.attempt;
    match held.known() {
        Some(task) => {
            task.definition.options.retry.after_failure(attempt, &error.failure, error.hint, jitter)
        }
        None => NextStep::GiveUp,
    }
}

fn ignores_result(held: &Held) -> bool {
    match &held.content {
        Content::Known { task, call } => call.ignore_result || task.definition.options.ignore_result,
        _ => true,
    }
}
