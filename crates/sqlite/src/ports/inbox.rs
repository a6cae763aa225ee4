//! What a consumer's claims took and nobody has received yet, so that a dropped call loses nothing.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cardoon_broker::Delivery;
use cardoon_core::Timestamp;
use cardoon_errors::{Error, Result};
use cardoon_runtime::Clock;
use rusqlite::Connection;
use tokio::sync::Notify;

use crate::operations::claim::{Claimer, claim, is_due};
use crate::tables::{Step, places};
use crate::writer::Operation;

#[derive(Debug, Default)]
pub(crate) struct Inbox {
    state: Mutex<State>,
    /// Rung when a claim is answered.
    pub(crate) answered: Notify,
}

#[derive(Debug, Default)]
struct State {
    deliveries: VecDeque<Delivery>,
    error: Option<Error>,
    under_way: bool,
    /// The count of rings for which nothing was there to take.
    nothing_at: Option<u64>,
    next_due: Option<Timestamp>,
}

/// What a claiming call does next.
#[derive(Debug)]
pub(crate) enum Next {
    Deliveries(Vec<Delivery>),
    Failed(Error),
    /// Submit a claim, then ask again when it is answered.
    Claim,
    /// Ask again after a ring, an answer, or this time.
    Wait {
        due: Option<Timestamp>,
    },
}

impl Inbox {
    /// What to do for a call that wants up to `max`, when the bell has rung `rings` times.
    pub(crate) fn next(&self, max: usize, rings: u64, now: Timestamp) -> Next {
        let mut state = self.state();
        if !state.deliveries.is_empty() {
            let count = max.min(state.deliveries.len());
            return Next::Deliveries(state.deliveries.drain(..count).collect());
        }
        if let Some(error) = state.error.take() {
            return Next::Failed(error);
        }
        let is_due = state.next_due.is_some_and(|due| due <= now);
        if state.under_way || (state.nothing_at == Some(rings) && !is_due) {
            return Next::Wait { due: state.next_due.filter(|_| !state.under_way) };
        }
        state.under_way = true;
        Next::Claim
    }

    fn put(&self, outcome: Result<Vec<Delivery>>, rings: u64, next_due: Option<Timestamp>) {
        let mut state = self.state();
        state.under_way = false;
        match outcome {
            Ok(taken) => {
                state.nothing_at = taken.is_empty().then_some(rings);
                state.next_due = next_due;
                state.deliveries.extend(taken);
            }
            Err(error) => state.error = Some(error),
        }
        drop(state);
        self.answered.notify_waiters();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A claim on its way through the writer.
pub(crate) struct ClaimOperation {
    pub(crate) inbox: Arc<Inbox>,
    pub(crate) claimer: Claimer,
    pub(crate) clock: Clock,
    /// How often the bell had rung when the claim was submitted.
    pub(crate) rings: u64,
    pub(crate) taken: Vec<Delivery>,
    pub(crate) next_due: Option<Timestamp>,
}

impl Operation for ClaimOperation {
    fn weight(&self) -> usize {
        self.claimer.max
    }

    fn is_needed(&mut self, db: &Connection) -> rusqlite::Result<bool> {
        self.next_due = places::next_due(db)?;
        is_due(db, &self.claimer.queues, self.clock.now())
    }

    fn run(&mut self, step: &mut Step<'_>) -> rusqlite::Result<()> {
        self.taken = claim(step, &self.claimer)?;
        self.next_due = places::next_due(step.db)?;
        Ok(())
    }

    fn answer(self: Box<Self>, outcome: Result<()>) {
        let Self { inbox, taken, rings, next_due, .. } = *self;
        inbox.put(outcome.map(|()| taken), rings, next_due);
    }
}
