//! Signals: the first asks, the second insists.

use cardoon::WorkerHandle;
use cardoon_errors::{Code, Error, Result};

use crate::exit::Exit;

/// Interrupt and termination (on Windows: Ctrl-C), seen from now on.
pub(crate) struct Signals(system::Signals);

impl Signals {
    pub(crate) fn listen() -> Result<Self> {
        let cannot = |error| Error::new(Code::Internal, "cannot listen to signals").source(error);
        system::Signals::listen().map(Self).map_err(cannot)
    }

    /// Waits for the next signal. Answers the status that it asks for: 130 for an interrupt, 0 for a termination.
    pub(crate) async fn next(&mut self) -> Exit {
        self.0.next().await
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

#[cfg(unix)]
mod system {
    use std::io;

    use tokio::signal::unix::{Signal, SignalKind, signal};

    use crate::exit::Exit;

    pub(super) struct Signals {
        interrupt: Signal,
        terminate: Signal,
    }

    impl Signals {
        pub(super) fn listen() -> io::Result<Self> {
            Ok(Self {
                interrupt: signal(SignalKind::interrupt())?,
                terminate: signal(SignalKind::terminate())?,
            })
        }

        pub(super) async fn next(&mut self) -> Exit {
            tokio::select! {
                _ = self.interrupt.recv() => Exit::Interrupted,
                _ = self.terminate.recv() => Exit::Done,
            }
        }
    }
}

#[cfg(not(unix))]
mod system {
    use std::io;

    use crate::exit::Exit;

    pub(super) struct Signals;

    impl Signals {
        #[expect(clippy::unnecessary_wraps, reason = "the other system's can fail")]
        pub(super) fn listen() -> io::Result<Self> {
            Ok(Self)
        }

        pub(super) async fn next(&mut self) -> Exit {
            match tokio::signal::ctrl_c().await {
                Ok(()) => Exit::Interrupted,
                Err(_) => std::future::pending().await,
            }
        }
    }
}
