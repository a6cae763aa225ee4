//! What a consumer's claims took and nobody has received yet, so that a dropped call loses nothing.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cardoon_broker::Delivery;
use cardoon_core::Timestamp;
use cardoon_errors::{Code, Error, Result};
use cardoon_runtime::Clock;
use rusqlite::Connection;
use tokio::sync::Notify;

use crate::operations::claim::{Claimer, claim, is_due};
use crate::tables::{Step, places, sessions};
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
    /// When something that is left to others now may be taken.
    pub(crate) asked_again: Option<Timestamp>,
    /// The session has left, or was taken for dead.
    pub(crate) is_over: bool,
    pub(crate) is_answered: bool,
}

impl Operation for ClaimOperation {
    fn weight(&self) -> usize {
        self.claimer.max
    }

    fn is_needed(&mut self, db: &Connection) -> rusqlite::Result<bool> {
        // What an earlier transaction took was put back when that was rolled back.
        self.taken.clear();
        self.next_due = places::next_due(db)?;
        is_due(db, &self.claimer.queues, self.clock.now())
    }

    fn run(&mut self, step: &mut Step<'_>) -> rusqlite::Result<()> {
        // Nobody would ever rescue what a session holds that has no row.
        self.is_over = !sessions::contains(step, self.claimer.session)?;
        self.taken = if self.is_over { Vec::new() } else { claim(step, &self.claimer)? };
        self.next_due = places::next_due(step.db)?;
        Ok(())
    }

    fn answer(mut self: Box<Self>, outcome: Result<()>) {
        let outcome = outcome.and_then(|()| if self.is_over { Err(over()) } else { Ok(()) });
        self.tell(outcome);
    }
}

impl ClaimOperation {
    fn tell(&mut self, outcome: Result<()>) {
        let taken = std::mem::take(&mut self.taken);
        self.is_answered = true;
        let next = self.next_due.into_iter().chain(self.asked_again).min();
        self.inbox.put(outcome.map(|()| taken), self.rings, next);
    }
}

/// A writer that ends with operations in its hands answers none of them, and a claim would wait for ever.
impl Drop for ClaimOperation {
    fn drop(&mut self) {
        if !self.is_answered {
            self.tell(Err(Error::new(Code::StoreClosed, "the database was closed")));
        }
    }
}

/// The session is not there any more.
pub(super) fn over() -> Error {
    Error::new(Code::LeaseLost, "this worker's session is over: others took it for dead, or it was closed")
        .hint("leave the folder beside the database alone; restart the worker")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_that_the_writer_drops_is_answered() {
        let inbox = Arc::<Inbox>::default();
        assert!(matches!(inbox.next(1, 0, Timestamp(0)), Next::Claim));
        drop(operation(&inbox));
        assert!(matches!(inbox.next(1, 0, Timestamp(0)), Next::Failed(_)));
    }

    #[test]
    fn what_a_rolled_back_claim_took_is_not_handed_out() {
        let inbox = Arc::<Inbox>::default();
        let db = crate::additions::laid_out();
        let mut claim = Box::new(operation(&inbox));
        claim.taken.push(delivery());
        assert!(!claim.is_needed(&db).unwrap(), "another one has taken it meanwhile");
        claim.answer(Ok(()));
        assert!(!matches!(inbox.next(1, 1, Timestamp(0)), Next::Deliveries(_)));
    }

    fn operation(inbox: &Arc<Inbox>) -> ClaimOperation {
        ClaimOperation {
            inbox: Arc::clone(inbox),
            claimer: Claimer { session: 1, queues: vec![1], max: 1, sequence: 1, ..Claimer::default() },
            clock: Clock::real(),
            rings: 0,
            taken: Vec::new(),
            next_due: None,
            asked_again: None,
            is_over: false,
            is_answered: false,
        }
    }

    fn delivery() -> Delivery {
        let message = cardoon_core::Message {
            id: cardoon_core::TaskId::new("a").unwrap(),
            attempt: 0,
            task: "t".into(),
            priority: cardoon_core::Priority::default(),
            expires: None,
            content_type: "application/json".into(),
            content_encoding: "utf-8".into(),
            headers: bytes::Bytes::new(),
            body: bytes::Bytes::new(),
        };
        Delivery {
            lease: cardoon_core::Lease { session: 1, sequence: 1, tag: 1 },
            queue: cardoon_core::QueueName::default(),
            message,
            redelivered: false,
            resent: false,
            deaths: 0,
            revoked: false,
            outcome_unknown: false,
            enqueued_at: Timestamp(0),
        }
    }
}
