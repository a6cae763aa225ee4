//! A runtime on a thread of its own.

use std::cell::RefCell;
use std::io;

use tokio::runtime::{Builder, Handle};
use tokio_util::sync::{CancellationToken, DropGuard};

/// A thread that drives futures, whoever waits for them: neither a runtime that ends nor user code that blocks one can
/// stop them. When it is dropped, the thread ends, and with it what it drives.
#[derive(Debug)]
pub struct Home {
    handle: Handle,
    /// None for a home that is lent: whose it is, he ends it.
    _open: Option<DropGuard>,
}

thread_local! {
    static LENT: RefCell<Option<Handle>> = const { RefCell::new(None) };
}

impl Home {
    /// Starts the thread, unless a home is [lent](Self::lend) here.
    pub fn start(name: &str) -> io::Result<Self> {
        if let Some(handle) = LENT.with_borrow(Clone::clone) {
            return Ok(Self { handle, _open: None });
        }
        Self::start_thread(name)
    }

    /// Homes that are started on this thread while `work` runs are the runtime of `handle`, and no threads. That is for
    /// a program which calls a store now and then and drives it by its own thread: waking another one for each call would
    /// take longer than a near server's answer. Between the calls nothing is driven.
    pub fn lend<T>(handle: &Handle, work: impl FnOnce() -> T) -> T {
        struct TakeBack(Option<Handle>);
        impl Drop for TakeBack {
            fn drop(&mut self) {
                LENT.set(self.0.take());
            }
        }
        let _before = TakeBack(LENT.replace(Some(handle.clone())));
        work()
    }

    fn start_thread(name: &str) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let left = CancellationToken::new();
        let open = left.clone().drop_guard();
        std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            runtime.block_on(left.cancelled());
            // Futures that end here may wait for nobody.
            runtime.shutdown_background();
        })?;
        Ok(Self { handle, _open: Some(open) })
    }

    pub fn handle(&self) -> &Handle {
        &self.handle
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lent_home_is_driven_by_its_owner() {
        let runtime = Builder::new_current_thread().build().unwrap();
        let home = Home::lend(runtime.handle(), || Home::start("home").unwrap());
        let (answer, answered) = tokio::sync::oneshot::channel();
        home.handle().spawn(async move { answer.send(std::thread::current().id()) });
        assert_eq!(runtime.block_on(answered).unwrap(), std::thread::current().id());
        drop(home);
        runtime.block_on(async {});
        assert!(LENT.with_borrow(Option::is_none));
    }

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
