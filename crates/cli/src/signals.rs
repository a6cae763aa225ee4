//! Signals: the first asks, the second insists.

use cardoon_errors::{Code, Error, Result};
use cardoon_worker::WorkerHandle;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::exit::Exit;

/// Interrupt and termination, seen from now on.
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    pub(crate) fn listen() -> Result<Self> {
        let on = |kind| {
            signal(kind).map_err(|error| Error::new(Code::Internal, "cannot listen to signals").source(error))
        };
        Ok(Self { interrupt: on(SignalKind::interrupt())?, terminate: on(SignalKind::terminate())? })
    }

    /// Waits for the next signal. Answers the status that it asks for: 130 for an interrupt, 0 for a termination.
    pub(crate) async fn next(&mut self) -> Exit {
        tokio::select! {
            _ = self.interrupt.recv() => Exit::Interrupted,
            _ = self.terminate.recv() => Exit::Done,
        }
    }

    /// Drains `worker` at the first signal and has it hand back everything at the second.
    pub(crate) async fn drive(&mut self, worker: &WorkerHandle, asked: &std::cell::Cell<Exit>) {
        asked.set(self.next().await);
        tracing::info!("draining; a second signal hands everything back at once");
        worker.drain();
        self.next().await;
        tracing::info!("handing back");
        worker.stop();
    }
}
