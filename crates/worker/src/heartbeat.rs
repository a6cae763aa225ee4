//! Renews the leases from a thread of its own, so that busy runtimes do not cost them.

use std::sync::Arc;
use std::time::Duration;

use cardoon_broker::Consumer;
use cardoon_core::EventKind;
use cardoon_errors::{Code, Error, Result};
use cardoon_runtime::Clock;
use tokio_util::sync::CancellationToken;

use crate::engine::Event;
use crate::events::Announcer;
use crate::gate::Gate;
use crate::inbox::Inbox;

pub(crate) struct Heartbeat {
    pub consumer: Arc<dyn Consumer>,
    pub every: Duration,
    pub gate: Arc<Gate>,
    pub clock: Clock,
    pub announcer: Announcer,
    pub inbox: Inbox,
}

impl Heartbeat {
    /// Beats until `stop` fires. The thread may block in the store.
    pub(crate) fn run(self, stop: &CancellationToken) -> Result<()> {
        let timer = tokio::runtime::Builder::new_current_thread().enable_time().build().map_err(|error| {
            Error::new(Code::Internal, "cannot start the heartbeat's timer").source(error)
        })?;
        while !stop.is_cancelled() {
            let pause = self.beat();
            timer.block_on(async {
                tokio::select! { () = stop.cancelled() => {}, () = self.clock.sleep(pause) => {} }
            });
        }
        Ok(())
    }

    /// Beats once, and answers how long to wait for the next one.
    fn beat(&self) -> Duration {
        match self.consumer.heartbeat() {
            Ok(start_before) => {
                self.gate.extend(start_before);
                self.inbox.send(Event::Beat(start_before));
                self.announcer.tell(EventKind::WorkerHeartbeat);
                self.every
            }
            Err(error) => {
                tracing::warn!(%error, "heartbeat failed, trying again");
                self.every / 4
            }
        }
    }
}
