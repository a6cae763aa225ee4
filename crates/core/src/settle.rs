//! Settle: what a verdict does to a delivery, and who may give it.

use serde::{Deserialize, Serialize};

use crate::rescue::POISON_DEATHS;
use crate::run::{self, Finish, RunEnd, RunNumber, RunRecord};
use crate::{DeadReason, Lease, Timestamp};

/// What a worker decides about a delivery that it holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// Done with it: remove it.
    Ack,
    /// Acknowledge before user code runs: once that has begun, it is never executed again.
    AckEarly,
    /// Back to the delayed store until then; not an attempt.
    Defer { until: Timestamp },
    /// Back to the delayed store until then, because another run of its task is current and may be about to end it. It
    /// registers when it comes back. [`RunNumber::gives_way_until`] says how long.
    GiveWay { until: Timestamp },
    /// Back to the head of its queue; not an attempt.
    Release { cause: ReleaseCause },
    /// To the dead letters.
    Dead { reason: DeadReason, detail: String },
}

/// Why a delivery is handed back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ReleaseCause {
    /// User code had not begun.
    Unstarted,
    /// User code had begun and was interrupted; it may even still be running.
    Interrupted,
    /// The child process that executed it died.
    ChildDied,
}

/// Whether a verdict closes a run and, with it, writes a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Closing {
    pub run: RunNumber,
    pub end: RunEnd,
    /// Until when the delivery gives way if the run is stale.
    pub gives_way_until: Timestamp,
}

/// What the store holds about the delivery at the moment of the settle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    pub lease: Lease,
    /// Whether it was acknowledged at its start.
    pub early: bool,
    pub deaths: u32,
}

/// The answer to a settle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Decision {
    /// The lease is not held any more: nothing of this settle counts.
    LeaseLost,
    /// The lease is held, but another run of the task is current or the task has ended: its result and follow-ups do
    /// not count. The delivery goes away if the task has ended; else it comes back later, because the current run may be
    /// one that lost its lease before it registered, whose result nobody will accept. At once would be too soon: two
    /// deliveries of one task would make each other's runs stale for ever.
    StaleRun { fate: Fate },
    /// Apply all of it. `record`: the run record to write with the result, if the settle closes a run.
    Apply { fate: Fate, record: Option<RunRecord> },
}

/// Where the delivery goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fate {
    Remove,
    /// Stays with its holder, marked as acknowledged early.
    KeepEarly,
    /// `redelivered` as for a requeue.
    Delay {
        until: Timestamp,
        redelivered: bool,
    },
    /// To the head of its queue. `redelivered` only ever turns a delivery's mark on.
    Requeue {
        deaths: u32,
        redelivered: bool,
    },
    /// Not again: it was acknowledged early and had begun, so record that its outcome is unknown.
    OutcomeUnknown,
    Bury(DeadReason),
}

/// Judges the settle of `lease` with `verdict`.
///
/// `held` is what the store has for the lease's tag, `None` if nobody holds it. `record` is the task's run record;
/// it is read only if `closing` is given, which is when the settle carries a result.
pub fn settle(
    held: Option<Held>,
    lease: Lease,
    verdict: &Verdict,
    closing: Option<Closing>,
    record: Option<RunRecord>,
) -> Decision {
    let Some(held) = held.filter(|held| held.lease == lease) else { return Decision::LeaseLost };
    let fate = fate(held, verdict);
    let Some(closing) = closing else { return Decision::Apply { fate, record: None } };
    match run::finish(record, closing.run, closing.end) {
        Finish::Accept(record) => Decision::Apply { fate, record: Some(record) },
        Finish::Stale => Decision::StaleRun { fate: stale_fate(held, record, closing) },
    }
}

fn stale_fate(held: Held, record: Option<RunRecord>, closing: Closing) -> Fate {
    match record {
        Some(record) if record.ended => Fate::Remove,
        _ => fate(held, &Verdict::GiveWay { until: closing.gives_way_until }),
    }
}

fn fate(held: Held, verdict: &Verdict) -> Fate {
    match verdict {
        Verdict::Ack => Fate::Remove,
        Verdict::AckEarly => Fate::KeepEarly,
        Verdict::Defer { until } => Fate::Delay { until: *until, redelivered: false },
        Verdict::GiveWay { .. } if held.early => Fate::OutcomeUnknown,
        Verdict::GiveWay { until } => Fate::Delay { until: *until, redelivered: true },
        Verdict::Dead { reason, .. } => Fate::Bury(*reason),
        Verdict::Release { cause } if held.early && *cause != ReleaseCause::Unstarted => Fate::OutcomeUnknown,
        Verdict::Release { cause } => {
            let deaths = held.deaths + u32::from(*cause == ReleaseCause::ChildDied);
            if deaths >= POISON_DEATHS {
                Fate::Bury(DeadReason::Poison)
            } else {
                Fate::Requeue { deaths, redelivered: *cause != ReleaseCause::Unstarted }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEASE: Lease = Lease { session: 1, sequence: 7, tag: 42 };
    const HELD: Held = Held { lease: LEASE, early: false, deaths: 0 };
    const LATER: Timestamp = Timestamp(1000);
    const FIRST: Closing = Closing { run: RunNumber::FIRST, end: RunEnd::Final, gives_way_until: LATER };

    #[test]
    fn the_holder_of_the_lease_settles() {
        let decision = settle(Some(HELD), LEASE, &Verdict::Ack, Some(FIRST), None);
        assert!(matches!(decision, Decision::Apply { fate: Fate::Remove, record: Some(r) } if r.ended));
    }

    #[test]
    fn an_older_lease_settles_nothing() {
        let rescued = Held { lease: Lease { session: 2, ..LEASE }, ..HELD };
        assert_eq!(settle(Some(rescued), LEASE, &Verdict::Ack, Some(FIRST), None), Decision::LeaseLost);
        assert_eq!(settle(None, LEASE, &Verdict::Ack, None, None), Decision::LeaseLost);
    }

    #[test]
    fn the_delivery_of_a_stale_run_gives_way_until_the_task_has_ended() {
        let taken_over = RunRecord { current: RunNumber(2), ..RunRecord::default() };
        let decision = |record| settle(Some(HELD), LEASE, &Verdict::Ack, Some(FIRST), Some(record));
        let delayed = Fate::Delay { until: LATER, redelivered: true };
        assert_eq!(decision(taken_over), Decision::StaleRun { fate: delayed });
        let ended = RunRecord { ended: true, ..taken_over };
        assert_eq!(decision(ended), Decision::StaleRun { fate: Fate::Remove });
    }

    #[test]
    fn an_interrupted_task_that_was_acknowledged_early_is_not_executed_again() {
        let early = Held { early: true, ..HELD };
        let fate_of = |cause| settle(Some(early), LEASE, &Verdict::Release { cause }, None, None);
        let unknown = Decision::Apply { fate: Fate::OutcomeUnknown, record: None };
        assert_eq!(fate_of(ReleaseCause::Interrupted), unknown);
        assert_eq!(fate_of(ReleaseCause::ChildDied), unknown);
        let requeued = Fate::Requeue { deaths: 0, redelivered: false };
        assert_eq!(fate_of(ReleaseCause::Unstarted), Decision::Apply { fate: requeued, record: None });
    }

    #[test]
    fn a_child_that_dies_three_times_over_a_task_buries_it() {
        let died = Verdict::Release { cause: ReleaseCause::ChildDied };
        let fate_of = |deaths| settle(Some(Held { deaths, ..HELD }), LEASE, &died, None, None);
        let requeued = Fate::Requeue { deaths: 1, redelivered: true };
        assert_eq!(fate_of(0), Decision::Apply { fate: requeued, record: None });
        assert_eq!(fate_of(2), Decision::Apply { fate: Fate::Bury(DeadReason::Poison), record: None });
    }
}
