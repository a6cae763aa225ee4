//! A worker's side of a store for the executors' own tests.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use cardoon_broker::{Consumer, Delivery, Order, Settle, Settled, SweepReport};
use cardoon_core::{
    BootInstant, Lease, QueueName, RunNumber, Signature, SignatureOptions, TaskId, Timestamp,
};
use cardoon_errors::Result;
use cardoon_protocol::Limits;
use cardoon_runtime::{Clock, ManualClock};
use tokio::sync::mpsc;

use super::run::Kit;
use crate::engine::{Event, KnownTask, Start, Ticket};
use crate::gate::Gate;
use crate::inbox::Inbox;
use crate::progress::Board;
use crate::{Handler, TaskDefinition, TaskOptions};

pub(super) const LEASE: Duration = Duration::from_secs(15);

/// A store in which time passes while a start is noted.
pub(super) struct Slow {
    clock: Arc<ManualClock>,
    noting_takes: Duration,
    pub(super) gate: Arc<Gate>,
    pub(super) marks: Mutex<Vec<&'static str>>,
}

#[async_trait]
impl Consumer for Slow {
    fn session(&self) -> u64 {
        1
    }

    async fn claim(&self, _max: usize) -> Result<Vec<Delivery>> {
        Ok(Vec::new())
    }

    async fn claim_delayed(&self, _max: usize) -> Result<Vec<(Delivery, Timestamp)>> {
        Ok(Vec::new())
    }

    async fn settle(&self, _batch: Vec<Settle>) -> Vec<Result<Settled>> {
        Vec::new()
    }

    fn leave_to_others(&self, _queue: &QueueName, _task: &str) {}

    fn mark_started(&self, _lease: Lease) {
        self.marks.lock().unwrap().push("started");
        self.clock.advance(self.noting_takes);
        self.gate.extend(Clock::manual(&self.clock).boot().plus(LEASE));
    }

    fn mark_ended(&self, _lease: Lease) {
        self.marks.lock().unwrap().push("ended");
    }

    fn heartbeat(&self) -> Result<BootInstant> {
        Ok(BootInstant(0))
    }

    async fn sweep(&self) -> Result<SweepReport> {
        Ok(SweepReport::default())
    }

    async fn revoked(&self) -> Result<Vec<TaskId>> {
        Ok(Vec::new())
    }

    async fn ordered(&self) -> Result<Option<Order>> {
        Ok(None)
    }

    async fn close(&self) -> Result<()> {
        Ok(())
    }
}

/// What runs share, its store, and what the engine would hear.
pub(super) fn kit(noting_takes: Duration) -> (Arc<Kit>, Arc<Slow>, mpsc::UnboundedReceiver<Event>) {
    let manual = ManualClock::new(Timestamp(0));
    let clock = Clock::manual(&manual);
    let gate = Arc::new(Gate::new(clock.clone(), clock.boot().plus(LEASE)));
    let store = Slow { clock: manual, noting_takes, gate: Arc::clone(&gate), marks: Mutex::default() };
    let consumer = Arc::new(store);
    let (inbox, events) = Inbox::new();
    let kit = Kit {
        worker: "w".into(),
        consumer: consumer.clone(),
        states: Arc::default(),
        gate,
        board: Board::default(),
        clock,
        inbox,
    };
    (Arc::new(kit), consumer, events)
}

/// A run of a claim that was asked for at `since`.
pub(super) fn start(ticket: u64, since: BootInstant) -> Box<Start> {
    let signature = Signature {
        task: "t".into(),
        args: Bytes::from_static(b"[]"),
        kwargs: Bytes::from_static(b"{}"),
        options: SignatureOptions::default(),
    };
    let id = TaskId::new("a").unwrap();
    let message = cardoon_protocol::encode(&signature, id.clone(), "tests").unwrap();
    let definition = TaskDefinition {
        name: "t".into(),
        options: TaskOptions::default(),
        handler: Handler::blocking(|_, _| Ok(Bytes::new())),
        parameters: Vec::new(),
        states: Vec::new(),
    };
    Box::new(Start {
        ticket: Ticket(ticket),
        lease: Lease { session: 1, sequence: 1, tag: 1 },
        since,
        task: Arc::new(KnownTask { name: "t".into(), definition }),
        call: Arc::new(cardoon_protocol::decode(&message, &Limits::default()).unwrap()),
        id,
        queue: QueueName::default(),
        attempt: 0,
        run: RunNumber::FIRST,
        redelivered: false,
        soft_time_limit: None,
        time_limit: None,
        message: None,
    })
}
