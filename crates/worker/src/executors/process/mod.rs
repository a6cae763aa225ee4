//! Tasks in child processes: a real kill, and a death that takes nothing with it.
//!
//! The worker starts its own program again, with one end of a socket as standard input and a variable that says so.
//! `Worker::run` in there serves one task after the other over that socket, until the socket closes.

mod child;
mod frame;
mod parent;
mod pool;

pub(crate) use child::serve_parent;
pub(super) use parent::execute;
pub(super) use pool::Pool;

/// The variable that tells a process whose child it is, by the parent's process id. A process further down, which
/// only inherited it, has another parent.
const CHILD_OF: &str = "CARDOON_CHILD";

/// Whether this process was started by a worker to execute isolated tasks. `Worker::run` then serves that worker.
pub fn is_child() -> bool {
    let parent = std::os::unix::process::parent_id().to_string();
    std::env::var(CHILD_OF).is_ok_and(|said| said == parent)
}
