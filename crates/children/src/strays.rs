//! Processes that tasks left behind.

use std::fs;

use rustix::process::{Pid, WaitOptions};

/// Children are orphans on purpose, and this process adopts them, so that it hears how they end. With them it adopts
/// what tasks forked and did not wait for.
///
/// # Errors
///
/// If the kernel does not offer that.
pub(crate) fn adopt_orphans() -> std::io::Result<()> {
    let this = rustix::process::getpid();
    Ok(rustix::process::set_child_subreaper(Some(this))?)
}

/// Buries dead processes that are not `ours`, so that their numbers are free again. Of living ones nothing is changed.
pub(crate) fn bury(ours: impl Fn(u32) -> bool) {
    for pid in adopted().filter(|pid| !ours(*pid)) {
        if let Some(pid) = Pid::from_raw(pid.cast_signed()) {
            let _ = rustix::process::waitpid(Some(pid), WaitOptions::NOHANG);
        }
    }
}

/// The children of all threads of this process. Empty where the kernel does not list them.
fn adopted() -> impl Iterator<Item = u32> {
    let threads = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let lists = threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    let pids: Vec<u32> = lists
        .flat_map(|list| list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>())
        .collect();
    pids.into_iter()
}
