//! A process and all that descend from it and live.

use std::path::Path;

use anyhow::{Result, ensure};

/// Whether the kernel tells who the children of a process are.
pub(crate) fn check() -> Result<()> {
    let own = std::process::id();
    let told = Path::new("/proc").join(format!("{own}/task/{own}/children")).exists();
    ensure!(
        told,
        "the memory of other processes is read from /proc/PID/task/PID/children, which is missing here"
    );
    Ok(())
}

/// Resident memory of all together in KiB. Pages that they share count once for each.
pub(crate) fn resident_kib(ancestor: u32) -> u64 {
    let mut total = 0;
    let mut left = vec![ancestor];
    // One that has just ended has no memory and no children.
    while let Some(process) = left.pop() {
        total += own_kib(process).unwrap_or(0);
        left.extend(children(process));
    }
    total
}

fn own_kib(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Each thread has children of its own.
fn children(process: u32) -> Vec<u32> {
    let threads = std::fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    let lists = threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("children")).ok());
    lists
        .flat_map(|list| list.split_whitespace().filter_map(|child| child.parse().ok()).collect::<Vec<_>>())
        .collect()
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn children_of_children_count() {
        // The shell waits for a shell that waits; both are there when the inner one has written.
        let mut shell = Command::new("sh");
        shell.args(["-c", "sh -c 'echo; read line'; true"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut shell = shell.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(shell.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let (alone, all) = (own_kib(shell.id()).unwrap(), resident_kib(shell.id()));
        assert!(alone > 0 && all > alone, "{alone} {all}");
        assert!(resident_kib(std::process::id()) > all);
        drop(shell.stdin.take());
        shell.wait().unwrap();
        check().unwrap();
    }
}
