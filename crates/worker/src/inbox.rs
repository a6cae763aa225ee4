//! The way of events to the engine.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cardoon_errors::Error;
use cardoon_runtime::Random;
use tokio::sync::mpsc;

use crate::engine::{Event, Outcome, Ticket};

/// Takes events from services and executors. Cheap to clone, never blocks.
#[derive(Debug, Clone)]
pub(crate) struct Inbox {
    events: mpsc::UnboundedSender<Event>,
    random: Arc<Random>,
    fatal: Arc<Mutex<Option<Error>>>,
}

impl Inbox {
    pub(crate) fn new() -> (Self, mpsc::UnboundedReceiver<Event>) {
        let (events, receiver) = mpsc::unbounded_channel();
        let random = Arc::new(Random::from_system());
        (Self { events, random, fatal: Arc::default() }, receiver)
    }

    /// An event for an engine that has ended is of no use to anybody.
    pub(crate) fn send(&self, event: Event) {
        let _ = self.events.send(event);
    }

    /// A run has ended; `ran` if it is known better than from the time of this event.
    pub(crate) fn ended(&self, ticket: Ticket, outcome: Outcome, ran: Option<Duration>) {
        let jitter = match outcome {
            Outcome::Succeeded(_) => 0.0,
            _ => self.random.unit(),
        };
        self.send(Event::Ended { ticket, outcome, jitter, ran });
    }

    /// The worker cannot go on: what runs is finished, then the worker ends with `error`.
    pub(crate) fn fail(&self, error: Error) {
        tracing::error!(%error, "the worker cannot go on");
        self.fatal.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        self.send(Event::Drain);
    }

    pub(crate) fn fatal(&self) -> Option<Error> {
        self.fatal.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
