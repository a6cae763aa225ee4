use std::collections::HashSet;

use cardoon_broker::{Settle, SweepReport};
use cardoon_core::rescue::{Loss, Lost, Rescue, rescue as judge};
use cardoon_core::settle::{ReleaseCause, Verdict};
use cardoon_core::{ResultRecord, TaskId};
use rusqlite::params;

use super::settle::{self, HeldMessage};
use crate::live::Marks;
use crate::tables::Step;

/// A lost session, and what its file told.
#[derive(Debug, Clone)]
pub(crate) struct LostSession {
    pub(crate) id: i64,
    pub(crate) loss: Loss,
    pub(crate) marks: Marks,
}

/// What became of one slice of deliveries.
#[derive(Debug, Default)]
pub(crate) struct Rescued {
    pub(crate) requeued: Vec<TaskId>,
    pub(crate) ended: Vec<ResultRecord>,
    /// There may be more.
    pub(crate) more: bool,
}

impl Rescued {
    pub(crate) fn is_empty(&self) -> bool {
        self.requeued.is_empty() && self.ended.is_empty()
    }

    pub(crate) fn add_to(self, report: &mut SweepReport) {
        report.requeued.extend(self.requeued);
        report.ended.extend(self.ended);
    }
}

/// Puts back up to `limit` deliveries of a lost session, the last ones first, so that they stand in their old order.
pub(crate) fn rescue(step: &mut Step<'_>, session: &LostSession, limit: usize) -> rusqlite::Result<Rescued> {
    let held = held_by(step, session.id, limit)?;
    let mut rescued = Rescued { more: held.len() == limit, ..Rescued::default() };
    for held in held {
        let code = session.marks.of(held.lease.sequence);
        let lost = Lost { loss: session.loss, code, early: held.early, deaths: held.deaths };
        match judge(lost) {
            Rescue::Requeue { deaths } => {
                settle::requeue(step, &held, true, deaths)?;
                rescued.requeued.push(held.id);
            }
            Rescue::OutcomeUnknown => rescued.ended.extend(settle::abandon(step, &held)?),
            Rescue::Bury(_) => rescued.ended.extend(settle::bury_poison(step, &held)?),
        }
    }
    Ok(rescued)
}

/// Hands back up to `limit` deliveries of a session that leaves. Answers whether there may be more.
pub(crate) fn hand_back(
    step: &mut Step<'_>,
    session: i64,
    begun: &HashSet<u64>,
    limit: usize,
) -> rusqlite::Result<bool> {
    let held = held_by(step, session, limit)?;
    let more = held.len() == limit;
    for held in held {
        let has_begun = begun.contains(&held.lease.sequence);
        let cause = if has_begun { ReleaseCause::Interrupted } else { ReleaseCause::Unstarted };
        settle::settle(step, &Settle::bare(held.lease, Verdict::Release { cause }))?;
    }
    Ok(more)
}

fn held_by(step: &Step<'_>, session: i64, limit: usize) -> rusqlite::Result<Vec<HeldMessage>> {
    let sql = concat!(
        "SELECT ",
        settle::columns!(),
        " FROM held h CROSS JOIN message m ON m.seq = h.seq WHERE h.session = ?1 ORDER BY h.seq DESC LIMIT ?2"
    );
    step.all(sql, params![session, limit as i64], HeldMessage::read)
}
