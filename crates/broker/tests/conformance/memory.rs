//! The memory broker under the suite of its port, and its fault switches.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use cardoon_broker::conformance::Harness;
use cardoon_broker::memory::MemoryBroker;
use cardoon_broker::{Broker, Consumer};
use cardoon_core::Timestamp;
use cardoon_runtime::{Clock, ManualClock};

pub(crate) struct MemoryHarness {
    broker: Arc<MemoryBroker>,
    manual: Arc<ManualClock>,
}

impl MemoryHarness {
    pub(crate) fn new() -> Self {
        let manual = ManualClock::new(Timestamp(1_800_000_000_000));
        Self { broker: MemoryBroker::new(Clock::manual(&manual)), manual }
    }

    fn fresh() -> Arc<dyn Harness> {
        Arc::new(Self::new())
    }
}

#[async_trait]
impl Harness for MemoryHarness {
    fn broker(&self) -> Arc<dyn Broker> {
        self.broker.clone()
    }

    async fn second(&self) -> Arc<dyn Broker> {
        self.broker.clone()
    }

    async fn reopen(&self) -> Option<Arc<dyn Broker>> {
        None
    }

    async fn kill(&self, consumer: Arc<dyn Consumer>) {
        self.broker.kill(consumer.session());
    }

    fn clock(&self) -> Clock {
        Clock::manual(&self.manual)
    }

    async fn pass(&self, time: Duration) {
        self.manual.advance(time);
    }
}

cardoon_broker::broker_conformance!(std::future::ready(MemoryHarness::fresh()));
