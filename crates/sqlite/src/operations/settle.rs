use cardoon_broker::{Settle, Settled};
use cardoon_core::run::RunRecord;
use cardoon_core::settle::{Decision, Fate, Held, Verdict, settle as judge};
use cardoon_core::{DeadReason, Lease, Priority, ResultRecord, TaskFailure, TaskId, TaskState, Timestamp};
use rusqlite::Row;

use super::runs;
use crate::tables::places::{self, Line};
use crate::tables::{Step, dead, messages, revoked, tasks};

/// What a settle needs to know of a held message.
pub(crate) struct HeldMessage {
    pub(crate) lease: Lease,
    pub(crate) early: bool,
    pub(crate) line: Line,
    pub(crate) id: TaskId,
    pub(crate) attempt: u32,
    pub(crate) redelivered: bool,
    pub(crate) deaths: u32,
}

/// The columns that [`HeldMessage::read`] reads, of `held h` and `message m`.
macro_rules! columns {
    () => {
        "h.session, h.sequence, h.seq, h.early, m.queue, m.priority, m.id, m.attempt, m.redelivered, m.deaths"
    };
}
pub(crate) use columns;

impl HeldMessage {
    pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let number = |column| row.get::<_, i64>(column).map(|number| number as u64);
        Ok(Self {
            lease: Lease { session: number(0)?, sequence: number(1)?, tag: number(2)? },
            early: row.get(3)?,
            line: Line::new(row.get(4)?, Priority::new(row.get(5)?)),
            id: messages::task_id(row, 6)?,
            attempt: row.get(7)?,
            redelivered: row.get(8)?,
            deaths: row.get(9)?,
        })
    }

    fn seq(&self) -> i64 {
        self.lease.tag as i64
    }

    fn session(&self) -> i64 {
        self.lease.session as i64
    }
}

/// Applies a verdict with what is stored along with it.
pub(crate) fn settle(step: &mut Step<'_>, settle: &Settle) -> rusqlite::Result<Settled> {
    let held = find(step, settle.lease)?;
    let closing = settle.closing();
    let before = match &settle.record {
        Some(record) if held.is_some() => tasks::run_record(step, &record.id)?,
        _ => None,
    };
    let known = held.as_ref().map(|held| Held { lease: held.lease, early: held.early, deaths: held.deaths });
    let decision = judge(known, settle.lease, &settle.verdict, closing, before);
    let Some(held) = held else { return Ok(Settled::LeaseLost) };
    match decision {
        Decision::LeaseLost => Ok(Settled::LeaseLost),
        Decision::StaleRun { fate } => {
            apply(step, &held, fate, &settle.verdict)?;
            if fate == Fate::Remove {
                tasks::release_identity(step, &held.id, held.attempt)?;
            }
            Ok(Settled::StaleRun)
        }
        Decision::Apply { fate, record: after } => {
            apply(step, &held, fate, &settle.verdict)?;
            record_end(step, settle, &held, fate, before, after)?;
            runs::follow_up(step, &settle.follow_ups)?;
            Ok(Settled::Done)
        }
    }
}

fn find(step: &Step<'_>, lease: Lease) -> rusqlite::Result<Option<HeldMessage>> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM held h CROSS JOIN message m ON m.seq = h.seq WHERE h.session = ?1 AND h.seq = ?2"
    );
    step.first(sql, [lease.session as i64, lease.tag as i64], HeldMessage::read)
}

/// Moves the message to where its fate says.
fn apply(step: &mut Step<'_>, held: &HeldMessage, fate: Fate, verdict: &Verdict) -> rusqlite::Result<()> {
    match fate {
        Fate::Remove => remove(step, held),
        Fate::KeepEarly => places::mark_early(step, held.session(), held.seq()),
        Fate::Delay { until, redelivered } => delay(step, held, until, redelivered),
        Fate::Requeue { deaths, redelivered } => requeue(step, held, redelivered, deaths),
        Fate::OutcomeUnknown => abandon(step, held).map(drop),
        Fate::Bury(reason) => match verdict {
            Verdict::Dead { detail, .. } => bury(step, held, reason, detail),
            _ => bury_poison(step, held).map(drop),
        },
    }
}

fn remove(step: &Step<'_>, held: &HeldMessage) -> rusqlite::Result<()> {
    places::delete_held(step, held.session(), held.seq())?;
    messages::delete(step, held.seq())
}

fn delay(
    step: &mut Step<'_>,
    held: &HeldMessage,
    until: Timestamp,
    redelivered: bool,
) -> rusqlite::Result<()> {
    places::delete_held(step, held.session(), held.seq())?;
    if redelivered {
        messages::mark_returned(step, held.seq(), true, held.deaths)?;
    }
    if revoked::contains(step, &held.id)? {
        return places::insert_head(step, held.line, held.seq());
    }
    places::note_due(step, held.seq(), until)?;
    places::insert_delayed(step, held.line, until, held.seq())
}

/// Puts a message back at the head of its queue.
pub(crate) fn requeue(
    step: &mut Step<'_>,
    held: &HeldMessage,
    redelivered: bool,
    deaths: u32,
) -> rusqlite::Result<()> {
    places::delete_held(step, held.session(), held.seq())?;
    messages::mark_returned(step, held.seq(), redelivered || held.redelivered, deaths)?;
    places::insert_head(step, held.line, held.seq())
}

/// Ends a task that was acknowledged before it ran, and did not report an end.
pub(crate) fn abandon(step: &mut Step<'_>, held: &HeldMessage) -> rusqlite::Result<Option<ResultRecord>> {
    let Some(stored) = messages::get(step.db, held.seq())? else { return Ok(None) };
    remove(step, held)?;
    let failure = TaskFailure::outcome_unknown();
    runs::end_unexecuted(step, &stored, TaskState::Failure, Some(failure))
}

/// Buries a message whose executions killed their processes, and ends its task.
pub(crate) fn bury_poison(step: &mut Step<'_>, held: &HeldMessage) -> rusqlite::Result<Option<ResultRecord>> {
    let deaths = held.deaths + 1;
    let failure = TaskFailure::worker_lost(deaths);
    let Some(stored) = messages::get(step.db, held.seq())? else { return Ok(None) };
    messages::mark_returned(step, held.seq(), true, deaths)?;
    bury(step, held, DeadReason::Poison, &failure.message)?;
    runs::end_unexecuted(step, &stored, TaskState::Failure, Some(failure))
}

/// Moves a message to the dead letters.
fn bury(step: &Step<'_>, held: &HeldMessage, reason: DeadReason, detail: &str) -> rusqlite::Result<()> {
    places::delete_held(step, held.session(), held.seq())?;
    dead::insert(step, held.seq(), reason, detail)
}

/// Stores the result that came with the settle, and releases the identity of a message that left its queue.
fn record_end(
    step: &mut Step<'_>,
    settle: &Settle,
    held: &HeldMessage,
    fate: Fate,
    before: Option<RunRecord>,
    after: Option<RunRecord>,
) -> rusqlite::Result<()> {
    let leaves = matches!(fate, Fate::Remove | Fate::Bury(_));
    if let (Some(record), Some(after)) = (&settle.record, after) {
        return runs::write(step, record, before, after, leaves.then_some(held.attempt));
    }
    if leaves { tasks::release_identity(step, &held.id, held.attempt) } else { Ok(()) }
}
