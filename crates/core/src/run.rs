//! The run record: which run of a task is the current one.
//!
//! A task's first run writes nothing, so the usual path costs nothing. Whoever may be a second run (a delivery
//! that came back, a message that was sent again, a later attempt) registers with [`begin`] before user code
//! runs, and gets a number larger than every earlier one. A result is accepted only from the current run.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Timestamp;

const SHORTEST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_hours(1);

/// The number of a run of one task. It only grows, over attempts and re-runs alike: a fencing token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunNumber(pub u64);

impl RunNumber {
    /// The run that needs no record.
    pub const FIRST: Self = Self(1);

    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// Until when the delivery of this run gives way to the run that has made it stale: as long as it took itself, times
    /// its number. So the pauses of deliveries that go on making each other's runs stale grow until one of them is alone
    /// for long enough. At least a second, at most an hour.
    pub fn gives_way_until(self, took: Duration, now: Timestamp) -> Timestamp {
        let times = u32::try_from(self.0).unwrap_or(u32::MAX);
        let pause = took.max(SHORTEST_PAUSE).saturating_mul(times);
        now.plus(pause.min(LONGEST_PAUSE))
    }
}

impl fmt::Display for RunNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a store remembers of a task's runs. Absent means: run 1 of attempt 0, not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RunRecord {
    pub current: RunNumber,
    /// The attempt that the current run belongs to.
    pub attempt: u32,
    /// Whether the task has ended; its record never changes again.
    pub ended: bool,
}

impl Default for RunRecord {
    fn default() -> Self {
        Self { current: RunNumber::FIRST, attempt: 0, ended: false }
    }
}

/// The answer to a run that wants to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Begin {
    /// Write this record, then execute as its current run.
    Run(RunRecord),
    /// The task has ended: acknowledge without executing.
    Ended,
    /// A later attempt is already under way: acknowledge without executing.
    Superseded,
}

/// A run of `attempt` registers.
pub fn begin(record: Option<RunRecord>, attempt: u32) -> Begin {
    let record = record.unwrap_or_default();
    if record.ended {
        return Begin::Ended;
    }
    if record.attempt > attempt {
        return Begin::Superseded;
    }
    Begin::Run(RunRecord { current: record.current.next(), attempt, ended: false })
}

/// Whether a result of run number `run` would be accepted now. A run that is not current never becomes it again.
pub fn is_current(record: Option<RunRecord>, run: RunNumber) -> bool {
    let record = record.unwrap_or_default();
    !record.ended && record.current == run
}

/// The answer to a run that reports its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Finish {
    /// Write this record together with the result.
    Accept(RunRecord),
    /// Another run took over, or the task has ended: nothing of this run counts.
    Stale,
}

/// How a run ended, as far as the run record cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RunEnd {
    /// The task is over: succeeded, failed, revoked.
    Final,
    /// The attempt is over, the next one is scheduled.
    Retry,
}

/// Run number `run` reports its end.
pub fn finish(record: Option<RunRecord>, run: RunNumber, end: RunEnd) -> Finish {
    if !is_current(record, run) {
        return Finish::Stale;
    }
    let record = record.unwrap_or_default();
    Finish::Accept(match end {
        RunEnd::Final => RunRecord { ended: true, ..record },
        RunEnd::Retry => RunRecord { current: run.next(), attempt: record.attempt + 1, ended: false },
    })
}

/// The record of a task that ends without a run of its own: revoked while it waited, buried, or lost after an
/// early acknowledgement. `None`: it has ended already, or a later attempt is under way.
///
/// The end takes a number like a run, so that a run which is still going on somewhere is refused.
pub fn end_unrun(record: Option<RunRecord>, attempt: u32) -> Option<RunRecord> {
    match begin(record, attempt) {
        Begin::Run(begun) => Some(RunRecord { ended: true, ..begun }),
        Begin::Ended | Begin::Superseded => None,
    }
}

/// The record of a task that is sent again after its end, from attempt 0 on. Numbers go on growing, so the message
/// must be one whose run registers.
#[must_use]
pub fn reopen(record: RunRecord) -> RunRecord {
    RunRecord { current: record.current.next(), attempt: 0, ended: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_gives_way_for_longer_the_more_there_were() {
        let pause = |run, took| RunNumber(run).gives_way_until(Duration::from_secs(took), Timestamp(0)).0;
        assert_eq!((pause(1, 0), pause(3, 0), pause(3, 20)), (1000, 3000, 60_000));
        assert_eq!(pause(u64::MAX, 1), 3_600_000);
    }

    fn begun(record: Option<RunRecord>, attempt: u32) -> RunRecord {
        match begin(record, attempt) {
            Begin::Run(record) => record,
            other => panic!("expected a run, got {other:?}"),
        }
    }

    #[test]
    fn a_second_run_takes_over_from_the_unrecorded_first() {
        let second = begun(None, 0);
        assert_eq!(second.current, RunNumber(2));
        assert_eq!(finish(Some(second), RunNumber::FIRST, RunEnd::Final), Finish::Stale);
        assert!(matches!(finish(Some(second), RunNumber(2), RunEnd::Final), Finish::Accept(r) if r.ended));
    }

    #[test]
    fn an_ended_task_never_runs_again() {
        let Finish::Accept(ended) = finish(None, RunNumber::FIRST, RunEnd::Final) else { panic!() };
        assert_eq!(begin(Some(ended), 0), Begin::Ended);
        assert_eq!(finish(Some(ended), RunNumber::FIRST, RunEnd::Final), Finish::Stale);
    }

    #[test]
    fn a_retry_fences_the_attempt_before_it() {
        let Finish::Accept(record) = finish(None, RunNumber::FIRST, RunEnd::Retry) else { panic!() };
        assert_eq!(begin(Some(record), 0), Begin::Superseded);
        assert_eq!(begun(Some(record), 1).current, RunNumber(3));
        assert_eq!(finish(Some(record), RunNumber::FIRST, RunEnd::Final), Finish::Stale);
    }

    #[test]
    fn an_end_without_a_run_fences_the_run_that_may_go_on() {
        let ended = end_unrun(None, 0).expect("the task has not ended");
        assert_eq!(finish(Some(ended), RunNumber::FIRST, RunEnd::Final), Finish::Stale);
        assert_eq!(end_unrun(Some(ended), 0), None);
    }

    #[test]
    fn a_reopened_task_runs_under_a_larger_number() {
        let ended = end_unrun(None, 2).expect("the task has not ended");
        assert!(begun(Some(reopen(ended)), 0).current > ended.current);
    }
}
