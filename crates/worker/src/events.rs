//! Publishes events, if somebody wants them.

use std::sync::Arc;

use cardoon_broker::Broker;
use cardoon_core::{Event, EventKind};
use cardoon_runtime::Clock;

/// Knows whether events are wanted. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Announcer {
    pub broker: Arc<dyn Broker>,
    pub worker: Arc<str>,
    /// Publish even if nobody listens.
    pub always: bool,
    pub clock: Clock,
}

impl Announcer {
    pub(crate) fn is_watched(&self) -> bool {
        self.always || self.broker.has_listeners()
    }

    pub(crate) fn emit(&self, events: Vec<Event>) {
        if !events.is_empty() {
            self.broker.emit(events);
        }
    }

    /// Tells something about this worker.
    pub(crate) fn tell(&self, kind: EventKind) {
        if self.is_watched() {
            self.broker.emit(vec![self.event(kind)]);
        }
    }

    pub(crate) fn event(&self, kind: EventKind) -> Event {
        Event::of_worker(kind, Arc::clone(&self.worker), self.clock.now())
    }
}
