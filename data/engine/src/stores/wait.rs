use std::future::Future;
use std::sync::mpsc::{Receiver, TryRecvError, channel};

use tokio::runtime::{Handle, RuntimeFlavor};

/// What will be received; nothing if nobody will send it. A thread of a runtime lets another one do its work meanwhile.
pub(super) fn receive<T>(from: &Receiver<T>) -> Option<T> {
    match from.try_recv() {
        Ok(value) => Some(value),
        Err(TryRecvError::Disconnected) => None,
        Err(TryRecvError::Empty) => blocked(|| from.recv().ok()),
    }
}

/// What becomes of `work`, which `runtime` does; nothing if it does not end.
pub(super) fn done<T: Send + 'static>(
    runtime: &Handle,
    work: impl Future<Output = T> + Send + 'static,
) -> Option<T> {
    let (send, result) = channel();
    runtime.spawn(async move {
        // Who waited may be gone.
        let _ = send.send(work.await);
    });
    receive(&result)
}

fn blocked<T>(wait: impl FnOnce() -> T) -> T {
    let is_of_runtime =
        Handle::try_current().is_ok_and(|here| here.runtime_flavor() == RuntimeFlavor::MultiThread);
    if is_of_runtime { tokio::task::block_in_place(wait) } else { wait() }
}
