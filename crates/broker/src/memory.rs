//! The memory adapter: a broker that lives as long as its process.
//!
//! It knows nothing of results, so its settle is not joined with them, and it is the adapter on which the order
//! of writes of separate stores is tested. Tests can also tell it that a consumer died or is paused, and make it fail.

mod consumer;
mod control;
mod dead;
mod events;
mod faults;
mod inspect;
mod store;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use cardoon_core::{DEFAULT_MAX_MESSAGE_BYTES, Event, TaskId, Timestamp};
use cardoon_errors::{Code, Error, Result};
use cardoon_runtime::Clock;
use tokio::sync::{broadcast, watch};
use tokio_util::sync::CancellationToken;

use crate::{
    Broker, Capabilities, ConsumeSpec, Consumer, Control, DeadLetters, DelayKind, Durability, EventStream,
    Handback, Inspect, LeaseKind, LeftToOthers, Publish, Published, Revoked,
};
use consumer::MemoryConsumer;
pub use faults::Faults;
use store::{Session, Store};

const CAPABILITIES: Capabilities = Capabilities {
    name: "memory",
    durability: Durability::Memory,
    lease: LeaseKind::ExpiringWithSignOfDeath,
    delay: DelayKind::Exact { granularity: Duration::from_millis(1) },
    priorities: 10,
    atomic_settle: false,
    blocking_claim: true,
    exact_blame: true,
    unique_messages: true,
    max_message_bytes: DEFAULT_MAX_MESSAGE_BYTES,
};

/// Queues in the memory of this process. Handles are clones of one `Arc`.
#[derive(Debug)]
pub struct MemoryBroker {
    clock: Clock,
    store: Mutex<Store>,
    /// Changes whenever a waiting call may find something.
    changed: watch::Sender<()>,
    events: broadcast::Sender<Vec<Event>>,
    closed: CancellationToken,
    faults: Faults,
    itself: std::sync::Weak<Self>,
}

impl MemoryBroker {
    pub fn new(clock: Clock) -> Arc<Self> {
        Arc::new_cyclic(|itself| Self {
            clock,
            store: Mutex::default(),
            changed: watch::channel(()).0,
            events: events::channel(),
            closed: CancellationToken::new(),
            faults: Faults::default(),
            itself: itself.clone(),
        })
    }

    /// Treats the consumer of this session as if its process had been killed: its calls fail, and the next sweep of
    /// another consumer finds it dead.
    pub fn kill(&self, session: u64) {
        self.change_session(session, |session| session.dead = true);
    }

    /// Treats the consumer of this session as if its process were stopped: its calls wait, its heartbeats are not
    /// heard.
    pub fn pause(&self, session: u64) {
        self.change_session(session, |session| session.paused = true);
    }

    /// Ends a [`Self::pause`].
    pub fn unpause(&self, session: u64) {
        self.change_session(session, |session| session.paused = false);
    }

    /// Switches for failures.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    fn change_session(&self, session: u64, change: impl FnOnce(&mut Session)) {
        if let Ok(mut store) = self.store()
            && let Some(session) = store.sessions.get_mut(&session)
        {
            change(session);
        }
        self.wake();
    }

    fn store(&self) -> Result<MutexGuard<'_, Store>> {
        if self.closed.is_cancelled() {
            return Err(Error::new(Code::StoreClosed, "the broker in memory was closed"));
        }
        Ok(self.store.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn clock(&self) -> &Clock {
        &self.clock
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn changed(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    fn wake(&self) {
        self.changed.send_replace(());
    }

    /// Applies `operation` to each item in one step, unless a fault is switched on, and wakes who waits.
    async fn change<I, T>(&self, items: Vec<I>, operation: impl Fn(&mut Store, I) -> T) -> Vec<Result<T>> {
        self.faults.answering().await;
        let answers = self.faults.course().follow(items.len(), || match self.store() {
            Ok(mut store) => items.into_iter().map(|item| Ok(operation(&mut store, item))).collect(),
            Err(error) => items.iter().map(|_| Err(error.clone())).collect(),
        });
        self.wake();
        answers
    }
}

#[async_trait]
impl Broker for MemoryBroker {
    fn capabilities(&self) -> &Capabilities {
        &CAPABILITIES
    }

    async fn publish(&self, batch: Vec<Publish>) -> Vec<Result<Published>> {
        let now = self.now();
        self.change(batch, |store, publish| fits(&publish).map(|()| store.publish(publish, now)))
            .await
            .into_iter()
            .map(Result::flatten)
            .collect()
    }

    async fn consume(&self, spec: ConsumeSpec) -> Result<Arc<dyn Consumer>> {
        self.faults.answering().await;
        let session = self.store()?.join(spec, self.now(), self.clock.boot());
        let broker = self.itself.upgrade().ok_or_else(gone)?;
        Ok(Arc::new(MemoryConsumer { broker, session, left: LeftToOthers::default() }))
    }

    async fn revoke(&self, ids: Vec<TaskId>) -> Vec<Result<Revoked>> {
        self.change(ids, |store, id| store.revoke(&id)).await
    }

    fn emit(&self, events: Vec<Event>) {
        // An error only says that nobody listens.
        let _ = self.events.send(events);
    }

    fn has_listeners(&self) -> bool {
        self.events.receiver_count() > 0
    }

    async fn listen(&self) -> Result<Box<dyn EventStream>> {
        drop(self.store()?);
        Ok(Box::new(events::Listener { events: self.events.subscribe(), closed: self.closed.clone() }))
    }

    fn inspect(&self) -> &dyn Inspect {
        self
    }

    fn dead_letters(&self) -> &dyn DeadLetters {
        self
    }

    fn control(&self) -> &dyn Control {
        self
    }

    fn handback(&self) -> Option<&dyn Handback> {
        None
    }

    async fn close(&self, _limit: Duration) -> Result<()> {
        self.closed.cancel();
        self.wake();
        Ok(())
    }
}

fn fits(publish: &Publish) -> Result<()> {
    let (size, most) = (publish.message.size(), CAPABILITIES.max_message_bytes);
    if publish.message.fits(most) {
        return Ok(());
    }
    Err(Error::new(Code::TooLarge, format!("the message has {size} bytes, the broker takes {most}")))
}

fn gone() -> Error {
    Error::new(Code::StoreClosed, "the broker in memory is gone")
}
