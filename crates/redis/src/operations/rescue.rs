//! What becomes of the deliveries of a lost session, or of one that leaves.

use std::collections::HashSet;

use cardoon_core::rescue::{Loss, Lost, Rescue, UserCode, rescue as judge};
use cardoon_core::{ResultRecord, TaskId};

use super::change::Change;
use super::known::Known;
use super::settle::{self, Bench, Holding};

/// What a rescue of one delivery does.
pub(crate) struct Saved {
    pub(crate) change: Change,
    pub(crate) requeued: Option<TaskId>,
    pub(crate) ended: Option<ResultRecord>,
}

/// Judges a delivery whose holder was lost. `guard`: what must still be so for it to be lost.
pub(crate) fn rescue(
    holding: &Holding,
    loss: Loss,
    started: &HashSet<u64>,
    known: &Known,
    guard: &Change,
    bench: Bench<'_>,
) -> Saved {
    // A short run is not on record, so that a missing one does not say that user code had not begun.
    let running = started.contains(&holding.lease.sequence);
    let code = if running { UserCode::Running } else { UserCode::Ended };
    let delivery = Lost { loss, code, early: holding.early, deaths: holding.deaths };
    let change = guard.clone().and(holding.if_held());
    match judge(delivery) {
        Rescue::Requeue { deaths } => {
            let change = settle::requeue(change, holding, deaths, true);
            Saved { change, requeued: Some(holding.id.clone()), ended: None }
        }
        Rescue::OutcomeUnknown => {
            let (change, ended) =
                settle::abandon(change.and(known.unchanged(&holding.id)), holding, known, bench);
            Saved { change, requeued: None, ended }
        }
        Rescue::Bury(_) => {
            let (change, ended) =
                settle::bury_poison(change.and(known.unchanged(&holding.id)), holding, known, bench);
            Saved { change, requeued: None, ended }
        }
    }
}
