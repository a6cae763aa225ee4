//! Wraps a worker's stores: to stop or kill its process at a chosen step, or to plant a bug.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use cardoon_broker::{
    Broker, Capabilities, ConsumeSpec, Consumer, Control, DeadLetters, Delivery, EventStream, Handback,
    Inspect, Order, Publish, Published, Revoked, Settle, Settled, SweepReport,
};
use cardoon_core::settle::Verdict;
use cardoon_core::{BootInstant, Event, Lease, QueueName, TaskId, Timestamp};
use cardoon_errors::Result;
use cardoon_results::altered::{Alter, Altered};
use cardoon_results::{BeginRun, Begun, ResultBackend};
use rustix::process::{Signal, getpid, kill_process};
use serde::{Deserialize, Serialize};

/// A step between the taking of a delivery and the recording of its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Step {
    /// The store has given deliveries, the worker does not know yet.
    Claimed,
    /// A run that may be a second one is about to register.
    Registering,
    Registered,
    /// User code is about to begin, nobody was told.
    MarkingStart,
    MarkedStart,
    TaskStarted,
    TaskEnded,
    MarkingEnd,
    MarkedEnd,
    /// The verdict is about to be written.
    Settling,
    /// The verdict was written, the worker does not know yet.
    Settled,
    Heartbeat,
}

impl Step {
    pub const ALL: [Self; 12] = [
        Self::Claimed,
        Self::Registering,
        Self::Registered,
        Self::MarkingStart,
        Self::MarkedStart,
        Self::TaskStarted,
        Self::TaskEnded,
        Self::MarkingEnd,
        Self::MarkedEnd,
        Self::Settling,
        Self::Settled,
        Self::Heartbeat,
    ];
}

/// What happens to the process at its trap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Act {
    Kill,
    Stop,
}

/// Where and when a process kills or stops itself: at the `nth` passing of a step, 1 is the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trap {
    pub step: Step,
    pub nth: u32,
    pub act: Act,
}

/// A bug in a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Plant {
    /// Acknowledges deliveries when they are taken, before they are executed.
    AckOnClaim,
    /// Takes no deliveries any more after an error of its store, and goes on living.
    DeafAfterError,
}

/// Counts the steps of a process and springs its trap. Clones count together.
#[derive(Debug, Clone)]
pub(crate) struct Tripwire {
    trap: Option<Trap>,
    passed: Arc<AtomicU32>,
}

impl Tripwire {
    pub(crate) fn new(trap: Option<Trap>) -> Self {
        Self { trap, passed: Arc::default() }
    }

    pub(crate) fn pass(&self, step: Step) {
        let Some(trap) = self.trap.filter(|trap| trap.step == step) else { return };
        if self.passed.fetch_add(1, Ordering::SeqCst) + 1 != trap.nth {
            return;
        }
        let signal = match trap.act {
            Act::Kill => Signal::KILL,
            Act::Stop => Signal::STOP,
        };
        // Whatever stands after this line runs only after a SIGCONT.
        kill_process(getpid(), signal).expect("a process may signal itself");
    }
}

/// Puts the trap and the bug between a worker and its stores.
pub(crate) fn rig(
    broker: Arc<dyn Broker>,
    results: Arc<dyn ResultBackend>,
    wire: &Tripwire,
    plant: Option<Plant>,
) -> (Arc<dyn Broker>, Arc<dyn ResultBackend>) {
    let broker = RiggedBroker { inner: broker, wire: wire.clone(), plant };
    (Arc::new(broker), Altered::new(results, wire.clone()))
}

struct RiggedBroker {
    inner: Arc<dyn Broker>,
    wire: Tripwire,
    plant: Option<Plant>,
}

struct RiggedConsumer {
    inner: Arc<dyn Consumer>,
    wire: Tripwire,
    plant: Option<Plant>,
}

#[async_trait]
impl Consumer for RiggedConsumer {
    fn session(&self) -> u64 {
        self.inner.session()
    }

    async fn claim(&self, max: usize) -> Result<Vec<Delivery>> {
        let deliveries = match self.inner.claim(max).await {
            Err(_) if self.plant == Some(Plant::DeafAfterError) => std::future::pending().await,
            claimed => claimed?,
        };
        self.wire.pass(Step::Claimed);
        if self.plant == Some(Plant::AckOnClaim) {
            let acks = deliveries.iter().map(|delivery| Settle::bare(delivery.lease, Verdict::Ack));
            self.inner.settle(acks.collect()).await;
        }
        Ok(deliveries)
    }

    async fn claim_delayed(&self, max: usize) -> Result<Vec<(Delivery, Timestamp)>> {
        self.inner.claim_delayed(max).await
    }

    async fn settle(&self, batch: Vec<Settle>) -> Vec<Result<Settled>> {
        self.wire.pass(Step::Settling);
        let settled = self.inner.settle(batch).await;
        self.wire.pass(Step::Settled);
        settled
    }

    fn leave_to_others(&self, queue: &QueueName, task: &str) {
        self.inner.leave_to_others(queue, task);
    }

    fn mark_started(&self, lease: Lease) {
        self.wire.pass(Step::MarkingStart);
        self.inner.mark_started(lease);
        self.wire.pass(Step::MarkedStart);
    }

    fn mark_ended(&self, lease: Lease) {
        self.wire.pass(Step::MarkingEnd);
        self.inner.mark_ended(lease);
        self.wire.pass(Step::MarkedEnd);
    }

    fn heartbeat(&self) -> Result<BootInstant> {
        self.wire.pass(Step::Heartbeat);
        self.inner.heartbeat()
    }

    async fn sweep(&self) -> Result<SweepReport> {
        self.inner.sweep().await
    }

    async fn revoked(&self) -> Result<Vec<TaskId>> {
        self.inner.revoked().await
    }

    async fn ordered(&self) -> Result<Option<Order>> {
        self.inner.ordered().await
    }

    async fn close(&self) -> Result<()> {
        self.inner.close().await
    }
}

#[async_trait]
impl Broker for RiggedBroker {
    fn capabilities(&self) -> &Capabilities {
        self.inner.capabilities()
    }

    async fn publish(&self, batch: Vec<Publish>) -> Vec<Result<Published>> {
        self.inner.publish(batch).await
    }

    async fn consume(&self, spec: ConsumeSpec) -> Result<Arc<dyn Consumer>> {
        let inner = self.inner.consume(spec).await?;
        Ok(Arc::new(RiggedConsumer { inner, wire: self.wire.clone(), plant: self.plant }))
    }

    async fn revoke(&self, ids: Vec<TaskId>) -> Vec<Result<Revoked>> {
        self.inner.revoke(ids).await
    }

    fn emit(&self, events: Vec<Event>) {
        self.inner.emit(events);
    }

    fn has_listeners(&self) -> bool {
        self.inner.has_listeners()
    }

    async fn listen(&self) -> Result<Box<dyn EventStream>> {
        self.inner.listen().await
    }

    fn inspect(&self) -> &dyn Inspect {
        self.inner.inspect()
    }

    fn dead_letters(&self) -> &dyn DeadLetters {
        self.inner.dead_letters()
    }

    fn control(&self) -> &dyn Control {
        self.inner.control()
    }

    fn handback(&self) -> Option<&dyn Handback> {
        self.inner.handback()
    }

    async fn close(&self, limit: Duration) -> Result<()> {
        self.inner.close(limit).await
    }
}

#[async_trait]
impl Alter for Tripwire {
    async fn begin(&self, inner: &dyn ResultBackend, runs: Vec<BeginRun>) -> Vec<Result<Begun>> {
        self.pass(Step::Registering);
        let begun = inner.begin(runs).await;
        self.pass(Step::Registered);
        begun
    }
}
