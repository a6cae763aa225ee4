//! Tasks in child processes: a real kill, and a death that takes nothing with it.
//!
//! The worker starts its own program again, with one end of a socket as standard input and a variable that says so.
//! `Worker::run` in there serves one task after the other over that socket, until the socket closes.

mod child;
mod frame;
mod parent;
mod pool;

use std::os::fd::AsFd;
use std::sync::OnceLock;

pub(crate) use child::serve_parent;
pub(super) use parent::execute;
pub(super) use pool::Pool;

/// The variable that tells a process that it is a worker's child: it names the socket that the child has as standard
/// input. A process further down, which only inherited it, has another standard input. The parent's process id would
/// not do: a child whose parent dies first would take itself for a worker.
const CHILD_OF: &str = "CARDOON_CHILD";

/// Whether this process was started by a worker to execute isolated tasks. `Worker::run` then serves that worker.
pub fn is_child() -> bool {
    // Asked once: serving takes the socket out of standard input.
    static ANSWER: OnceLock<bool> = OnceLock::new();
    *ANSWER.get_or_init(|| {
        let said = std::env::var(CHILD_OF);
        said.is_ok_and(|said| socket_id(std::io::stdin()).is_ok_and(|found| found == said))
    })
}

/// What tells an open socket from all others of this machine.
fn socket_id(socket: impl AsFd) -> std::io::Result<String> {
    let found = rustix::fs::fstat(socket)?;
    Ok(format!("{}-{}", found.st_dev, found.st_ino))
}
