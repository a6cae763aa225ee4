//! Returning to the lists, for workers of another system, what lies in keys of ours.
//!
//! Each message moves in one step that pushes it first and removes it last, so whoever is broken off here begins again.

use std::collections::BTreeMap;

use cardoon_broker::HandedBack;
use cardoon_core::QueueName;
use cardoon_core::rescue::Loss;
use cardoon_errors::{Code, Error, Result};

use super::change::{Applied, Change};
use super::living::Dead;
use super::rescue::{Saved, rescue};
use super::runs::TRIES;
use super::search::{self, Delayed};
use super::sessions::{self, Hold};
use super::settle::{Holding, put_back};
use super::{delayed, known};
use crate::keys;
use crate::link::{items, text};
use crate::store::Shared;

/// Delayed messages that are returned in one step.
const PAGE: usize = 256;

/// What was returned so far.
#[derive(Default)]
pub(crate) struct Tally(BTreeMap<QueueName, HandedBack>);

impl Tally {
    pub(crate) fn of(&mut self, queue: &QueueName) -> &mut HandedBack {
        self.0.entry(queue.clone()).or_insert_with(|| HandedBack::none(queue.clone()))
    }

    pub(crate) fn finish(self) -> Vec<HandedBack> {
        self.0.into_values().collect()
    }
}

/// Returns what a dead session held to the heads of its lists, and removes the session.
pub(crate) async fn return_held(shared: &Shared, dead: &Dead, tally: &mut Tally) -> Result<()> {
    let Dead { facts, .. } = dead;
    // Nothing that is still on its way from it may take anything any more.
    sessions::recover(shared, facts.number).await?;
    for _ in 0..TRIES {
        let hold = sessions::hold(&shared.main, facts.number, &facts.queues).await?;
        if !hold.holdings.is_empty() {
            empty(shared, dead, &hold, tally).await?;
        }
        if sessions::leave(shared, facts.number, &facts.queues).await?.is_some() {
            return Ok(());
        }
    }
    let text = format!("worker {} left something that belongs to none of its queues", facts.worker);
    Err(Error::new(Code::RedisWrongType, text).checked(format!("key: {}", keys::held(facts.number))))
}

/// Returns deliveries, the last ones first, so that they stand in their old order.
async fn empty(shared: &Shared, dead: &Dead, hold: &Hold, tally: &mut Tally) -> Result<()> {
    let known = known::look(&shared.main, hold.holdings.iter().map(|holding| &holding.id)).await?;
    let bench = shared.bench();
    let judge = |(holding, known): (&Holding, _)| {
        rescue(holding, Loss::Died, &hold.started, known, &dead.guard, bench)
    };
    let saved: Vec<Saved> = hold.holdings.iter().zip(&known).rev().map(judge).collect();
    let pairs = || hold.holdings.iter().rev().zip(&saved);
    let changes: Vec<Change> = pairs().map(|(holding, saved)| returned(dead, holding, saved)).collect();
    let applied = shared.apply(&shared.main, &changes).await;
    for ((holding, saved), applied) in pairs().zip(applied) {
        let count = tally.of(&holding.queue);
        match (applied?, saved.requeued.is_some()) {
            (Applied::Yes, true) => count.held += 1,
            (Applied::Yes, false) => count.ended += 1,
            (Applied::Refused(check), _) if check < dead.guard.checks() => return Err(came_back(dead)),
            (Applied::Refused(_), _) => {}
        }
    }
    Ok(())
}

/// What may be executed again goes back without our marks; else what a rescue does with it.
fn returned(dead: &Dead, holding: &Holding, saved: &Saved) -> Change {
    match saved.requeued {
        Some(_) => put_back(dead.guard.clone().and(holding.if_held()), holding),
        None => saved.change.clone(),
    }
}

fn came_back(dead: &Dead) -> Error {
    let text = format!("worker {} is alive after all", dead.facts.worker);
    Error::new(Code::WorkersAlive, text).hint("end it, then begin again")
}

/// Returns all delayed messages to the backs of their lists, the next due one first.
pub(crate) async fn return_delayed(shared: &Shared, tally: &mut Tally) -> Result<()> {
    let mut failed = None;
    // What cannot be returned stays, and is stepped over.
    let mut stay = 0;
    loop {
        let members = delayed_members(shared, stay).await?;
        if members.is_empty() {
            return failed.map_or(Ok(()), Err);
        }
        let count = members.len();
        let found = search::delayed_members(&shared.main, members).await?;
        stay += count - found.len();
        let changes: Vec<Change> = found.iter().map(leave_store).collect();
        for (delayed, applied) in found.iter().zip(shared.apply(&shared.main, &changes).await) {
            match applied {
                Ok(Applied::Yes) => tally.of(&delayed.queue).delayed += 1,
                Ok(Applied::Refused(_)) => {}
                Err(error) => {
                    stay += 1;
                    failed = Some(error);
                }
            }
        }
    }
}

async fn delayed_members(shared: &Shared, from: usize) -> Result<Vec<String>> {
    let mut command = redis::cmd("ZRANGE");
    command.arg(keys::DELAYED).arg(from).arg(from + PAGE - 1);
    let members = items(shared.main.ask(&command).await?, "ZRANGE")?;
    members.into_iter().map(|member| text(member, "ZRANGE")).collect()
}

fn leave_store(it: &Delayed) -> Change {
    let change = Change::new().if_member(keys::DELAYED, it.member.clone());
    let change = change.then("LPUSH", it.list.clone(), [it.stored.original.clone()]);
    delayed::remove(change, &it.queue, &it.member)
}
