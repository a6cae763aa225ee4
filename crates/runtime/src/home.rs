//! A runtime on a thread of its own.

use std::io;

use tokio::runtime::{Builder, Handle};
use tokio_util::sync::{CancellationToken, DropGuard};

/// A thread that drives futures, whoever waits for them: neither a runtime that ends nor user code that blocks one can
/// stop them. When it is dropped, the thread ends, and with it what it drives.
#[derive(Debug)]
pub struct Home {
    handle: Handle,
    _open: DropGuard,
}

impl Home {
    /// Starts the thread.
    pub fn start(name: &str) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let left = CancellationToken::new();
        let open = left.clone().drop_guard();
        std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            runtime.block_on(left.cancelled());
            // Futures that end here may wait for nobody.
            runtime.shutdown_background();
        })?;
        Ok(Self { handle, _open: open })
    }

    pub fn handle(&self) -> &Handle {
        &self.handle
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_home_drives_futures_until_it_is_dropped() {
        let home = Home::start("home").unwrap();
        let (answer, answered) = tokio::sync::oneshot::channel();
        home.handle().spawn(async move { answer.send(std::thread::current().name().map(str::to_owned)) });
        assert_eq!(answered.blocking_recv().unwrap().as_deref(), Some("home"));
        let (kept, gone) = tokio::sync::oneshot::channel::<()>();
        home.handle().spawn(async move {
            std::future::pending::<()>().await;
            drop(kept);
        });
        drop(home);
        assert!(gone.blocking_recv().is_err());
    }
}
