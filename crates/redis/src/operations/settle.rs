//! Verdicts: what the rule of `core` says about them, as changes.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cardoon_broker::{Publish, Settle, Settled};
use cardoon_core::settle::{Decision, Fate, Held, Verdict, settle as judge};
use cardoon_core::{DeadReason, Lease, QueueName, ResultRecord, TaskFailure, TaskId, TaskState, Timestamp};

use super::change::Change;
use super::delayed::{self, Place};
use super::ends;
use super::graves::{self, Stone};
use super::known::Known;
use super::messages::{self, Stored};
use crate::envelope::Marks;
use crate::keys;
use crate::options::Retention;

/// What is known here of a delivery that a session holds.
#[derive(Debug, Clone)]
pub(crate) struct Holding {
    pub(crate) lease: Lease,
    pub(crate) queue: QueueName,
    pub(crate) list: Arc<str>,
    pub(crate) raw: Bytes,
    pub(crate) id: TaskId,
    pub(crate) early: bool,
    pub(crate) deaths: u32,
}

/// What verdicts are judged with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bench<'a> {
    pub(crate) retention: &'a Retention,
    pub(crate) reply_to: &'a str,
    pub(crate) now: Timestamp,
}

/// A verdict's answer, and the change that it makes.
pub(crate) struct Judged {
    pub(crate) settled: Settled,
    pub(crate) change: Change,
}

impl Holding {
    fn field(&self) -> String {
        keys::held_field(self.lease.sequence, self.lease.tag)
    }

    /// A change that is made only if the delivery is still held.
    pub(crate) fn if_held(&self) -> Change {
        Change::new().if_field(keys::held(self.lease.session), self.field())
    }

    /// Lets go of the delivery.
    fn drop_from(&self, change: Change) -> Change {
        let sequence = Bytes::from(self.lease.sequence.to_string());
        let change = if self.early {
            change.then("HDEL", keys::early(self.lease.session), [sequence])
        } else {
            change
        };
        change.then("HDEL", keys::held(self.lease.session), [self.field().into()])
    }
}

/// Judges a settle of a delivery that is held as far as this process knows. `revoked`: whether the task was revoked.
pub(crate) fn judged(
    holding: &Holding,
    settle: &Settle,
    known: &Known,
    revoked: bool,
    bench: Bench<'_>,
) -> Judged {
    let held = Held { lease: holding.lease, early: holding.early, deaths: holding.deaths };
    let record = known.record();
    match judge(Some(held), settle.lease, &settle.verdict, settle.closing(), record) {
        Decision::LeaseLost => Judged { settled: Settled::LeaseLost, change: Change::new() },
        Decision::StaleRun { fate } => {
            let change = holding.if_held().and(known.unchanged(&holding.id));
            let case = Case { holding, verdict: &settle.verdict, known, revoked, bench };
            Judged { settled: Settled::StaleRun, change: case.moved(change, fate) }
        }
        Decision::Apply { fate, record: after } => {
            let mut change = holding.if_held();
            if needs_known(settle, fate) {
                change = change.and(known.unchanged(&holding.id));
            }
            let needed = longest_delay(&settle.follow_ups, bench.now);
            for next in &settle.follow_ups {
                change = follow_up(change, next, revoked, bench);
            }
            if let (Some(record), Some(after)) = (&settle.record, after) {
                change = ends::store(change, record, known, after, bench.retention, needed);
            }
            let case = Case { holding, verdict: &settle.verdict, known, revoked, bench };
            Judged { settled: Settled::Done, change: case.moved(change, fate) }
        }
    }
}

/// Whether the answer depends on what is known of the task.
fn needs_known(settle: &Settle, fate: Fate) -> bool {
    settle.record.is_some() || fate == Fate::OutcomeUnknown || fate == Fate::Bury(DeadReason::Poison)
}

fn longest_delay(follow_ups: &[Publish], now: Timestamp) -> Duration {
    follow_ups.iter().filter_map(|next| next.not_before).map(|due| due.since(now)).max().unwrap_or_default()
}

/// Stores a message that follows from a run.
fn follow_up(change: Change, next: &Publish, revoked: bool, bench: Bench<'_>) -> Change {
    let list = messages::list(&next.queue, &next.message);
    let raw = messages::write(&next.queue, &next.message, bench.reply_to, next.resent);
    match next.not_before.filter(|due| *due > bench.now && !revoked) {
        None => change.then("LPUSH", list, [raw]),
        Some(due) => {
            let (id, attempt) = (&next.message.id, next.message.attempt);
            delayed::insert(change, &Place { id, attempt, queue: &next.queue, list: &list, due }, &raw)
        }
    }
}

/// What decides where a delivery goes.
struct Case<'a> {
    holding: &'a Holding,
    verdict: &'a Verdict,
    known: &'a Known,
    revoked: bool,
    bench: Bench<'a>,
}

impl Case<'_> {
    /// Moves the delivery to where its fate says, as the last part of `change`.
    fn moved(&self, change: Change, fate: Fate) -> Change {
        let Self { holding, known, bench, .. } = *self;
        match fate {
            Fate::Remove => holding.drop_from(change),
            Fate::KeepEarly => {
                let sequence = Bytes::from(holding.lease.sequence.to_string());
                let marked = [sequence, Bytes::from_static(b"1")];
                change.then("HSET", keys::early(holding.lease.session), marked)
            }
            Fate::Delay { until, redelivered } => {
                let due = if self.revoked { bench.now } else { until };
                delay(change, holding, due, redelivered, bench)
            }
            Fate::Requeue { deaths, redelivered } => requeue(change, holding, deaths, redelivered),
            Fate::OutcomeUnknown => abandon(change, holding, known, bench).0,
            Fate::Bury(reason) => match self.verdict {
                Verdict::Dead { detail, .. } => bury(change, holding, holding.deaths, reason, detail, bench),
                _ => bury_poison(change, holding, known, bench).0,
            },
        }
    }
}

fn delay(change: Change, holding: &Holding, due: Timestamp, redelivered: bool, bench: Bench<'_>) -> Change {
    if due <= bench.now {
        return requeue(change, holding, holding.deaths, redelivered);
    }
    let (attempt, raw) = returned(holding, holding.deaths, redelivered);
    let place = Place { id: &holding.id, attempt, queue: &holding.queue, list: &holding.list, due };
    holding.drop_from(delayed::insert(change, &place, &raw))
}

/// Puts the delivery back at the head of its list.
pub(crate) fn requeue(change: Change, holding: &Holding, deaths: u32, redelivered: bool) -> Change {
    let (_, raw) = returned(holding, deaths, redelivered);
    holding.drop_from(change.then("RPUSH", &*holding.list, [raw]))
}

/// The attempt of a delivery, and what is stored of it when it goes back.
fn returned(holding: &Holding, deaths: u32, redelivered: bool) -> (u32, Bytes) {
    let stored = Stored::read(&holding.raw);
    let redelivered = stored.marks.redelivered || redelivered;
    let raw = stored.with(Marks { redelivered, deaths, ..stored.marks });
    (stored.message.attempt, raw)
}

/// Puts the delivery back at the head of its list as its sender wrote it.
pub(crate) fn put_back(change: Change, holding: &Holding) -> Change {
    let original = Stored::read(&holding.raw).original;
    holding.drop_from(change.then("RPUSH", &*holding.list, [original]))
}

/// Ends a task that was acknowledged before it ran, and did not report an end.
pub(crate) fn abandon(
    change: Change,
    holding: &Holding,
    known: &Known,
    bench: Bench<'_>,
) -> (Change, Option<ResultRecord>) {
    let failure = TaskFailure::outcome_unknown();
    let message = Stored::read(&holding.raw).message;
    let (change, record) = end(change, holding, &message, known, failure, bench);
    (holding.drop_from(change), record)
}

/// Buries a message whose executions killed their processes, and ends its task.
pub(crate) fn bury_poison(
    change: Change,
    holding: &Holding,
    known: &Known,
    bench: Bench<'_>,
) -> (Change, Option<ResultRecord>) {
    let deaths = holding.deaths + 1;
    let failure = TaskFailure::worker_lost(deaths);
    let detail = failure.message.clone();
    let message = Stored::read(&holding.raw).message;
    let (change, record) = end(change, holding, &message, known, failure, bench);
    (bury(change, holding, deaths, DeadReason::Poison, &detail, bench), record)
}

fn end(
    change: Change,
    holding: &Holding,
    message: &cardoon_core::Message,
    known: &Known,
    failure: TaskFailure,
    bench: Bench<'_>,
) -> (Change, Option<ResultRecord>) {
    let ended =
        ends::unexecuted(message, &holding.queue, known, TaskState::Failure, Some(failure), bench.now);
    let Some((record, after)) = ended else { return (change, None) };
    let change = ends::store(change, &record, known, after, bench.retention, Duration::ZERO);
    (change, Some(record))
}

fn bury(
    change: Change,
    holding: &Holding,
    deaths: u32,
    reason: DeadReason,
    detail: &str,
    bench: Bench<'_>,
) -> Change {
    let stored = Stored::read(&holding.raw);
    let stone = Stone {
        queue: holding.queue.clone(),
        list: holding.list.to_string(),
        reason,
        detail: detail.to_owned(),
        deaths,
        died_at: bench.now,
        attempt: stored.marks.attempt,
    };
    holding.drop_from(graves::bury(change, &stone, &stored))
}
