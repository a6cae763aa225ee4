//! A broker that answers as a test says.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use cardoon::{App, Stores, TaskId};
use cardoon_broker::{
    Broker, Capabilities, ConsumeSpec, Consumer, Control, DeadLetters, DelayKind, Durability, EventStream,
    Handback, Inspect, LeaseKind, Publish, Published, Revoked,
};
use cardoon_coord::memory::MemoryCoordinator;
use cardoon_core::Event;
use cardoon_errors::{Code, Error, Result};
use cardoon_results::memory::MemoryResults;
use cardoon_runtime::Clock;

/// Takes messages and events, and keeps them for the test. Everything is stored unless the test says otherwise.
pub(crate) struct ScriptedBroker {
    capabilities: Capabilities,
    /// The answers to the next messages.
    answers: Mutex<VecDeque<Result<Published>>>,
    batches: Mutex<Vec<Vec<Publish>>>,
    events: Mutex<Vec<Event>>,
    listened_to: AtomicBool,
}

impl ScriptedBroker {
    pub(crate) fn new() -> Arc<Self> {
        let capabilities = Capabilities {
            name: "scripted",
            durability: Durability::Memory,
            lease: LeaseKind::Expiring,
            delay: DelayKind::Exact { granularity: Duration::from_millis(1) },
            priorities: 10,
            atomic_settle: false,
            blocking_claim: true,
            exact_blame: false,
            unique_messages: true,
            max_message_bytes: usize::MAX,
        };
        Arc::new(Self {
            capabilities,
            answers: Mutex::default(),
            batches: Mutex::default(),
            events: Mutex::default(),
            listened_to: AtomicBool::new(false),
        })
    }

    pub(crate) fn app(self: &Arc<Self>, clock: &Clock) -> App {
        let stores = Stores {
            broker: self.clone(),
            results: MemoryResults::new(clock.clone()),
            coord: MemoryCoordinator::new(clock.clone()),
            joined: false,
            location: "scripted".into(),
        };
        App::builder().origin("tests").clock(clock.clone()).with_stores(stores)
    }

    /// Sets the answers to the next messages, in their order.
    pub(crate) fn answer(&self, answers: impl IntoIterator<Item = Result<Published>>) {
        self.answers.lock().unwrap().extend(answers);
    }

    pub(crate) fn listen_to_events(&self) {
        self.listened_to.store(true, Ordering::SeqCst);
    }

    pub(crate) fn batches(&self) -> Vec<Vec<Publish>> {
        self.batches.lock().unwrap().clone()
    }

    /// All messages that came, first to last.
    pub(crate) fn messages(&self) -> Vec<Publish> {
        self.batches().concat()
    }

    pub(crate) fn events(&self) -> Vec<Event> {
        self.events.lock().unwrap().clone()
    }
}

#[async_trait]
impl Broker for ScriptedBroker {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    async fn publish(&self, batch: Vec<Publish>) -> Vec<Result<Published>> {
        let mut answers = self.answers.lock().unwrap();
        let answers = batch.iter().map(|_| answers.pop_front().unwrap_or(Ok(Published::Stored))).collect();
        self.batches.lock().unwrap().push(batch);
        answers
    }

    async fn consume(&self, _: ConsumeSpec) -> Result<Arc<dyn Consumer>> {
        Err(not_asked())
    }

    async fn revoke(&self, ids: Vec<TaskId>) -> Vec<Result<Revoked>> {
        ids.iter().map(|_| Ok(Revoked::Remembered)).collect()
    }

    fn emit(&self, events: Vec<Event>) {
        self.events.lock().unwrap().extend(events);
    }

    fn has_listeners(&self) -> bool {
        self.listened_to.load(Ordering::SeqCst)
    }

    async fn listen(&self) -> Result<Box<dyn EventStream>> {
        Err(not_asked())
    }

    fn inspect(&self) -> &dyn Inspect {
        panic!("the tests do not look into queues")
    }

    fn dead_letters(&self) -> &dyn DeadLetters {
        panic!("the tests do not look at dead letters")
    }

    fn control(&self) -> &dyn Control {
        panic!("the tests do not steer")
    }

    fn handback(&self) -> Option<&dyn Handback> {
        None
    }

    async fn close(&self, _: Duration) -> Result<()> {
        Ok(())
    }
}

fn not_asked() -> Error {
    Error::new(Code::Unsupported, "the scripted broker only takes messages")
}
