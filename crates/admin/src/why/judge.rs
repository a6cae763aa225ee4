//! The one reason why a task has not run, out of what is known.

use std::collections::BTreeSet;

use cardoon_broker::{Member, Place, Waiting};
use cardoon_core::{DeadReason, ResultRecord, TaskState, Timestamp};
use cardoon_protocol::{Limits, decode};
use serde::Serialize;
use utoipa::ToSchema;

use crate::Whereabouts;

/// What is known of the task and of the workers on its queue.
pub struct Facts {
    pub found: Whereabouts,
    pub workers: Vec<Member>,
    pub ahead: Option<u64>,
    /// Nothing is taken from the queue.
    pub is_paused: bool,
    pub now: Timestamp,
}

/// Why it has not run, or that it has.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(tag = "reason", rename_all = "kebab-case")]
pub enum Reason {
    Unknown,
    Succeeded {
        attempts: u32,
        worker: String,
    },
    Failed {
        attempts: u32,
        failure: String,
    },
    Expired,
    Revoked,
    DeadLettered {
        #[schema(value_type = String)]
        dead_reason: DeadReason,
        detail: String,
    },
    Running {
        worker: String,
    },
    /// A worker took it, and all its slots are busy.
    Held {
        worker: String,
    },
    WaitsForTime {
        wait_ms: u64,
    },
    WaitsForRetry {
        attempt: u32,
        wait_ms: u64,
        failure: Option<String>,
    },
    QueueHasNoWorker {
        queue: String,
    },
    QueuePaused {
        queue: String,
    },
    NoWorkerKnowsIt {
        task: String,
        queue: String,
        workers: usize,
        /// The names that they do know.
        known: Vec<String>,
    },
    SlotsBusy {
        queue: String,
        slots: u64,
        ahead: Option<u64>,
    },
    /// Nothing stands in its way but those before it.
    ItsTurnComes {
        queue: String,
        ahead: Option<u64>,
    },
}

/// The one reason.
pub fn judge(facts: &Facts) -> Reason {
    let Whereabouts { message, record, dead } = &facts.found;
    if let Some(record) = record.as_ref().filter(|record| record.state.is_final() && dead.is_none()) {
        return ended(record);
    }
    match (message, dead, record) {
        (Some((waiting, place)), _, _) => waits(facts, waiting, place),
        (None, Some(dead), _) => {
            Reason::DeadLettered { dead_reason: dead.reason, detail: dead.detail.clone() }
        }
        (None, None, Some(record)) => ended(record),
        (None, None, None) => Reason::Unknown,
    }
}

fn ended(record: &ResultRecord) -> Reason {
    let attempts = record.attempt + 1;
    match record.state {
        TaskState::Revoked if says_expired(record) => Reason::Expired,
        TaskState::Revoked => Reason::Revoked,
        TaskState::Success => Reason::Succeeded { attempts, worker: record.worker.to_string() },
        _ => Reason::Failed { attempts, failure: failure_of(record).unwrap_or_default() },
    }
}

fn waits(facts: &Facts, waiting: &Waiting, place: &Place) -> Reason {
    match place {
        Place::Held { worker, started: true } => Reason::Running { worker: worker.clone() },
        Place::Held { worker, started: false } => Reason::Held { worker: worker.clone() },
        Place::Delayed { until } => delayed(facts, waiting, *until),
        Place::Ready => ready(facts, waiting),
    }
}

/// A message that workers could not place waits a little, too: its own due time tells the two apart.
fn delayed(facts: &Facts, waiting: &Waiting, until: Timestamp) -> Reason {
    let wait_ms = until.since(facts.now).as_millis() as u64;
    let attempt = waiting.message.attempt;
    if attempt > 0 {
        let failure = facts.found.record.as_ref().and_then(failure_of);
        return Reason::WaitsForRetry { attempt, wait_ms, failure };
    }
    let due = decode(&waiting.message, &Limits::default()).ok().and_then(|incoming| incoming.eta);
    let was_put_back = due.is_none_or(|due| due <= facts.now);
    if was_put_back && !facts.workers.is_empty() && !somebody_knows(facts, waiting) {
        return nobody_knows(facts, waiting);
    }
    Reason::WaitsForTime { wait_ms }
}

fn ready(facts: &Facts, waiting: &Waiting) -> Reason {
    let queue = waiting.queue.to_string();
    if waiting.message.expires.is_some_and(|expires| expires <= facts.now) {
        return Reason::Expired;
    }
    if facts.is_paused {
        return Reason::QueuePaused { queue };
    }
    if facts.workers.is_empty() {
        return Reason::QueueHasNoWorker { queue };
    }
    if !somebody_knows(facts, waiting) {
        return nobody_knows(facts, waiting);
    }
    let slots: u64 = facts.workers.iter().map(|worker| u64::from(worker.slots)).sum();
    let held: u64 = facts.workers.iter().map(|worker| worker.held).sum();
    if held >= slots {
        return Reason::SlotsBusy { queue, slots, ahead: facts.ahead };
    }
    Reason::ItsTurnComes { queue, ahead: facts.ahead }
}

fn somebody_knows(facts: &Facts, waiting: &Waiting) -> bool {
    facts.workers.iter().any(|worker| worker.tasks.contains(&waiting.message.task))
}

fn nobody_knows(facts: &Facts, waiting: &Waiting) -> Reason {
    let known: BTreeSet<_> = facts.workers.iter().flat_map(|worker| worker.tasks.iter().cloned()).collect();
    Reason::NoWorkerKnowsIt {
        task: waiting.message.task.clone(),
        queue: waiting.queue.to_string(),
        workers: facts.workers.len(),
        known: known.into_iter().collect(),
    }
}

fn says_expired(record: &ResultRecord) -> bool {
    record.failure.as_ref().is_some_and(|failure| failure.to_string().to_lowercase().contains("expired"))
}

fn failure_of(record: &ResultRecord) -> Option<String> {
    record.failure.as_ref().map(ToString::to_string)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use bytes::Bytes;
    use cardoon_core::{Message, Priority, QueueName, RunNumber, TaskFailure, TaskId};

    const NOW: Timestamp = Timestamp(1_000_000);

    fn message() -> Message {
        Message {
            id: TaskId::new("a").unwrap(),
            attempt: 0,
            task: "mail.send".into(),
            priority: Priority::default(),
            expires: None,
            content_type: "application/json".into(),
            content_encoding: "utf-8".into(),
            headers: Bytes::from_static(b"{}"),
            body: Bytes::from_static(b"[[],{},{}]"),
        }
    }

    fn at(place: Place, message: Message) -> Facts {
        let queue = QueueName::new("mail").unwrap();
        let waiting = Waiting { queue, message, enqueued_at: NOW, deaths: 0, redelivered: false };
        let found = Whereabouts { message: Some((waiting, place)), ..Whereabouts::default() };
        Facts { found, workers: Vec::new(), ahead: None, is_paused: false, now: NOW }
    }

    fn worker(tasks: &[&str], held: u64) -> Member {
        Member {
            worker: "w".into(),
            session: 1,
            queues: vec![QueueName::new("mail").unwrap()],
            tasks: tasks.iter().map(|task| (*task).to_owned()).collect(),
            slots: 4,
            held,
            since: NOW,
            pid: 1,
            heartbeat_age: Duration::ZERO,
            version: String::new(),
        }
    }

    fn with_worker(worker: Member) -> Facts {
        Facts { workers: vec![worker], ahead: Some(3), ..at(Place::Ready, message()) }
    }

    fn record(state: TaskState, failure: Option<&str>) -> ResultRecord {
        ResultRecord {
            id: TaskId::new("a").unwrap(),
            task: "mail.send".into(),
            queue: QueueName::default(),
            state,
            run: RunNumber::FIRST,
            attempt: 0,
            value: None,
            failure: failure.map(|kind| TaskFailure::new(kind, "it broke")),
            worker: "w".into(),
            started_at: None,
            finished_at: NOW,
        }
    }

    #[test]
    fn a_pause_comes_before_what_workers_do() {
        let facts = Facts { is_paused: true, ..at(Place::Ready, message()) };
        assert_eq!(judge(&facts), Reason::QueuePaused { queue: "mail".into() });
    }

    #[test]
    fn a_task_that_nobody_has_heard_of_is_unknown() {
        let facts = Facts {
            found: Whereabouts::default(),
            workers: Vec::new(),
            ahead: None,
            is_paused: false,
            now: NOW,
        };
        assert_eq!(judge(&facts), Reason::Unknown);
    }

    #[test]
    fn a_ready_task_waits_for_a_worker_that_is_there_and_knows_it_and_has_a_free_slot() {
        let alone = judge(&at(Place::Ready, message()));
        assert_eq!(alone, Reason::QueueHasNoWorker { queue: "mail".into() });
        assert!(matches!(
            judge(&with_worker(worker(&["other"], 0))),
            Reason::NoWorkerKnowsIt { workers: 1, .. }
        ));
        let busy = judge(&with_worker(worker(&["mail.send"], 4)));
        assert_eq!(busy, Reason::SlotsBusy { queue: "mail".into(), slots: 4, ahead: Some(3) });
        let free = judge(&with_worker(worker(&["mail.send"], 0)));
        assert_eq!(free, Reason::ItsTurnComes { queue: "mail".into(), ahead: Some(3) });
    }

    #[test]
    fn a_delayed_task_waits_for_its_time_or_for_its_next_attempt() {
        let until = Place::Delayed { until: Timestamp(NOW.0 + 5000) };
        assert_eq!(judge(&at(until.clone(), message())), Reason::WaitsForTime { wait_ms: 5000 });
        let mut facts = at(until, Message { attempt: 2, ..message() });
        facts.found.record = Some(record(TaskState::Retry, Some("IoError")));
        let failure = Some("IoError: it broke".to_owned());
        assert_eq!(judge(&facts), Reason::WaitsForRetry { attempt: 2, wait_ms: 5000, failure });
    }

    #[test]
    fn a_task_that_has_ended_says_how() {
        let mut facts = Facts {
            found: Whereabouts::default(),
            workers: Vec::new(),
            ahead: None,
            is_paused: false,
            now: NOW,
        };
        for (state, failure, expected) in [
            (TaskState::Success, None, Reason::Succeeded { attempts: 1, worker: "w".into() }),
            (TaskState::Revoked, None, Reason::Revoked),
            (TaskState::Revoked, Some("Expired"), Reason::Expired),
            (TaskState::Failure, Some("E"), Reason::Failed { attempts: 1, failure: "E: it broke".into() }),
        ] {
            facts.found.record = Some(record(state, failure));
            assert_eq!(judge(&facts), expected);
        }
    }

    #[test]
    fn an_expired_task_that_is_still_in_the_queue_says_so() {
        let expired = Message { expires: Some(Timestamp(NOW.0 - 1)), ..message() };
        assert_eq!(judge(&at(Place::Ready, expired)), Reason::Expired);
    }
}
