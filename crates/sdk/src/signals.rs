//! The signals that ask a worker to stop.

use cardoon_errors::Result;

/// SIGINT and SIGTERM (on Windows: Ctrl-C), one after the other.
#[cfg(unix)]
pub(crate) struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    /// From now on these signals no longer end the process.
    pub(crate) fn catch() -> Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt()).map_err(not_caught)?,
            terminate: signal(SignalKind::terminate()).map_err(not_caught)?,
        })
    }

    /// Waits for the next one.
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(not(unix))]
pub(crate) struct Signals;

#[cfg(not(unix))]
impl Signals {
    pub(crate) fn catch() -> Result<Self> {
        Ok(Self)
    }

    pub(crate) async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    }
}

#[cfg(unix)]
fn not_caught(error: std::io::Error) -> cardoon_errors::Error {
    let code = cardoon_errors::Code::Internal;
    cardoon_errors::Error::new(code, "the signals that stop a worker cannot be caught").source(error)
}
