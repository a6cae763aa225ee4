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
        let mut total = 0;
        for thread in std::fs::read_dir(format!("/proc/{}/task", self.0.id()))? {
            let stat = std::fs::read_to_string(thread?.path().join("schedstat")).unwrap_or_default();
            total += stat.split_whitespace().next().and_then(|nanos| nanos.parse::<u64>().ok()).unwrap_or(0);
        }
        Ok(total as f64 / 1e9)
    }
}

impl Drop for WorkerProcess {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}
