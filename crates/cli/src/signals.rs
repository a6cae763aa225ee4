//! Signals: the first asks, the second insists.

use cardoon::WorkerHandle;
use cardoon_errors::{Code, Error, Result};

use crate::exit::Exit;

/// Interrupt and termination (on Windows: Ctrl-C), seen from now on.
pub(crate) struct Signals(system::Signals);

/// One of them, with its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(not(unix), expect(dead_code, reason = "the other system has more"))]
enum Signal {
    Hangup = 1,
    Interrupt = 2,
    Terminate = 15,
}

impl Signals {
    pub(crate) fn listen() -> Result<Self> {
        system::Signals::listen().map(Self).map_err(cannot_listen)
    }

    /// Sees the end of the terminal too, unless whoever started this process had that ignored.
    pub(crate) fn with_hangup(mut self) -> Result<Self> {
        self.0.add_hangup().map_err(cannot_listen)?;
        Ok(self)
    }

    /// Waits for the next signal. Answers the status that it asks for: 130 for an interrupt, 0 for a termination.
    pub(crate) async fn next(&mut self) -> Exit {
        match self.0.next().await {
            Signal::Interrupt => Exit::Interrupted,
            Signal::Terminate | Signal::Hangup => Exit::Done,
        }
    }

    /// Waits for the next signal. Answers the status of a command that it keeps from its work.
    pub(crate) async fn broken_off(&mut self) -> Exit {
        Exit::Signalled(self.0.next().await as u8)
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

fn cannot_listen(error: std::io::Error) -> Error {
    Error::new(Code::Internal, "cannot listen to signals").source(error)
}

#[cfg(unix)]
mod system {
    use std::io;

    use tokio::signal::unix::{self, SignalKind, signal};

    use super::Signal;

    pub(super) struct Signals {
        interrupt: unix::Signal,
        terminate: unix::Signal,
        hangup: Option<unix::Signal>,
    }

    impl Signals {
        pub(super) fn listen() -> io::Result<Self> {
            Ok(Self {
                interrupt: signal(SignalKind::interrupt())?,
                terminate: signal(SignalKind::terminate())?,
                hangup: None,
            })
        }

        pub(super) fn add_hangup(&mut self) -> io::Result<()> {
            if !is_hangup_ignored() {
                self.hangup = Some(signal(SignalKind::hangup())?);
            }
            Ok(())
        }

        pub(super) async fn next(&mut self) -> Signal {
            tokio::select! {
                _ = self.interrupt.recv() => Signal::Interrupt,
                _ = self.terminate.recv() => Signal::Terminate,
                Some(()) = received(self.hangup.as_mut()) => Signal::Hangup,
            }
        }
    }

    async fn received(signal: Option<&mut unix::Signal>) -> Option<()> {
        signal?.recv().await
    }

    /// `nohup` does that. Only Linux tells.
    fn is_hangup_ignored() -> bool {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        let mask = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
        mask.is_some_and(|mask| mask & 1 == 1)
    }
}

#[cfg(not(unix))]
mod system {
    use std::io;

    use super::Signal;

    pub(super) struct Signals;

    impl Signals {
        #[expect(clippy::unnecessary_wraps, reason = "the other system's can fail")]
        pub(super) fn listen() -> io::Result<Self> {
            Ok(Self)
        }

        #[expect(clippy::unnecessary_wraps, clippy::unused_self, reason = "the other system has hangups")]
        pub(super) fn add_hangup(&mut self) -> io::Result<()> {
            Ok(())
        }

        pub(super) async fn next(&mut self) -> Signal {
            match tokio::signal::ctrl_c().await {
                Ok(()) => Signal::Interrupt,
                Err(_) => std::future::pending().await,
            }
        }
    }
}
