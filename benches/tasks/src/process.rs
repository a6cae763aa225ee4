//! Worker processes and what they use.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};

use crate::stopwatch;

/// A worker of this program; killed when it is dropped.
pub(crate) struct WorkerProcess(Child);

impl WorkerProcess {
    /// A worker that publishes events.
    pub(crate) fn start(url: &str, name: &str, slots: u32) -> Result<Self> {
        Self::start_with(url, name, slots, &["--events"])
    }

    /// The same; it writes how long its tasks waited into `waits` when it ends.
    pub(crate) fn start_timing(url: &str, name: &str, slots: u32, waits: &Path) -> Result<Self> {
        Self::start_with(url, name, slots, &["--events", "--waits", &waits.to_string_lossy()])
    }

    /// A worker with further options.
    pub(crate) fn start_with(url: &str, name: &str, slots: u32, options: &[&str]) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["worker", "--url", url, "--name", name, "--slots", &slots.to_string()]).args(options);
        let child = command.stdin(Stdio::null()).spawn().context("cannot start a worker")?;
        Ok(Self(child))
    }

    /// Asks it to drain, and waits for its end.
    pub(crate) fn end(mut self) -> Result<()> {
        let pid = Pid::from_child(&self.0);
        kill_process(pid, Signal::TERM)?;
        let status =
            stopwatch::poll("a worker's end", Duration::from_millis(5), || Ok(self.0.try_wait()?))?;
        anyhow::ensure!(status.success(), "a worker ended with {status}");
        Ok(())
    }

    /// Resident memory in MiB.
    pub(crate) fn resident_mib(&self) -> Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
        kib.map(|kib| kib / 1024.0).context("the kernel does not say how much memory the worker has")
    }

    /// Processor time that it has used, in seconds, to the nanosecond.
    pub(crate) fn processor_secs(&self) -> Result<f64> {
        processor_secs(self.0.id())
    }
}

/// A process and all that descend from it and live.
pub(crate) struct Family(Vec<u32>);

impl Family {
    pub(crate) fn of(ancestor: u32) -> Result<Self> {
        let mut parents = Vec::new();
        for entry in std::fs::read_dir("/proc")? {
            let Ok(process) = entry?.file_name().to_string_lossy().parse::<u32>() else { continue };
            parents.extend(parent(process).map(|parent| (process, parent)));
        }
        let mut family = vec![ancestor];
        let mut next = 0;
        while let Some(member) = family.get(next).copied() {
            family.extend(parents.iter().filter(|(_, parent)| *parent == member).map(|(child, _)| *child));
            next += 1;
        }
        Ok(Self(family))
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn kill(&self) {
        for pid in self.0.iter().filter_map(|process| Pid::from_raw(process.cast_signed())) {
            _ = kill_process(pid, Signal::KILL);
        }
    }

    /// Memory of all together in MiB; of pages that they share with others, each has its part.
    pub(crate) fn proportional_mib(&self) -> Result<f64> {
        let members = self.0.iter().map(|process| proportional_kib(*process));
        Ok(members.sum::<Result<f64>>()? / 1024.0)
    }

    /// Processor time that all have used, in seconds.
    pub(crate) fn processor_secs(&self) -> Result<f64> {
        self.0.iter().map(|process| processor_secs(*process)).sum()
    }
}

fn parent(process: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name stands in brackets and may hold anything.
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(1)?.parse().ok()
}

fn proportional_kib(process: u32) -> Result<f64> {
    let rollup = std::fs::read_to_string(format!("/proc/{process}/smaps_rollup"))?;
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    kib.context("the kernel does not say how much memory a process has")
}

fn processor_secs(process: u32) -> Result<f64> {
    let mut total = 0;
    for thread in std::fs::read_dir(format!("/proc/{process}/task"))? {
        let stat = std::fs::read_to_string(thread?.path().join("schedstat")).unwrap_or_default();
        total += stat.split_whitespace().next().and_then(|nanos| nanos.parse::<u64>().ok()).unwrap_or(0);
    }
    Ok(total as f64 / 1e9)
}

impl Drop for WorkerProcess {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_has_the_children_of_children() {
        // The shell waits for its own child.
        let mut shell = Command::new("sh").args(["-c", "sleep 60; true"]).spawn().unwrap();
        let whole = stopwatch::poll("the family", Duration::from_millis(1), || {
            Ok(Some(Family::of(std::process::id())?).filter(|family| family.len() >= 3))
        });
        let whole = whole.unwrap();
        assert!(
            whole.proportional_mib().unwrap() > Family::of(shell.id()).unwrap().proportional_mib().unwrap()
        );
        Family::of(shell.id()).unwrap().kill();
        shell.wait().unwrap();
    }
}
