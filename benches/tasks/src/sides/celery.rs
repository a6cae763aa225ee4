//! Celery: its producer, and one worker with two processes or threads.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::cache;
use crate::sides::peer::Peer;
use crate::stores::redis::Places;

const VERSION: &str = "5.7.0";
const REQUIREMENTS: &str = "celery==5.7.0\nkombu==5.7.0\nredis==8.1.0\npackaging==26.3\n";
const APP: &str = include_str!("celery_app.py");
pub(super) const FAULTS: &str = include_str!("faults.py");

/// One way to start its worker.
pub(crate) struct Celery {
    pub(crate) ignore_result: bool,
    pub(crate) how: How,
    pub(crate) tasks: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// `-c 2`, and nothing else.
    Defaults,
    Threads,
    /// `-c 2` that takes 128 tasks in advance for each process.
    Prefetch,
    /// So many processes, which acknowledge a task when it has ended.
    Late(u32),
}

impl How {
    /// Those that the rows of the Rust worker compare with.
    pub(crate) const ALL: [Self; 3] = [Self::Defaults, Self::Threads, Self::Prefetch];

    pub(crate) fn options(self) -> String {
        match self {
            Self::Defaults => "-c 2".into(),
            Self::Threads => "-c 2 -P threads".into(),
            Self::Prefetch => "-c 2 --prefetch-multiplier 128".into(),
            Self::Late(processes) => format!("-c {processes}"),
        }
    }
}

impl Celery {
    pub(crate) fn defaults() -> Self {
        Self::new(How::Defaults, false)
    }

    pub(crate) fn new(how: How, ignore_result: bool) -> Self {
        Self { ignore_result, how, tasks: 20_000 }
    }

    fn program(&self, url: &str, name: &str) -> Result<Command> {
        let folder = cache::python(&format!("celery-{VERSION}"), REQUIREMENTS)?;
        std::fs::write(folder.join("celery_app.py"), APP)?;
        std::fs::write(folder.join("faults.py"), FAULTS)?;
        let mut command = Command::new(folder.join("bin").join(name));
        command.current_dir(&folder).env("PYTHONPATH", &folder).env("BENCH_URL", url);
        command.env("BENCH_IGNORE_RESULT", if self.ignore_result { "1" } else { "0" });
        command.env("BENCH_ACKS_LATE", if matches!(self.how, How::Late(_)) { "1" } else { "0" });
        // Where the user is root, Celery would refuse or warn.
        command.env("C_FORCE_ROOT", "1");
        Ok(command)
    }

    /// Prints the median and the 99th percentile of sending and waiting, in milliseconds.
    pub(crate) fn waiter(&self, url: &str, count: usize) -> Result<Command> {
        let mut command = self.sender(url)?;
        command.arg("wait").arg(count.to_string());
        Ok(command)
    }
}

impl Peer for Celery {
    fn name(&self) -> String {
        format!("Celery {VERSION}")
    }

    fn setting(&self) -> String {
        let late = if matches!(self.how, How::Late(_)) { ", late acknowledgement" } else { "" };
        format!("`{}`{late}", self.how.options())
    }

    fn tasks(&self) -> usize {
        self.tasks
    }

    fn sender(&self, url: &str) -> Result<Command> {
        let mut command = self.program(url, "python")?;
        command.arg(PathBuf::from("celery_app.py"));
        Ok(command)
    }

    fn workers(&self, url: &str) -> Result<Vec<Command>> {
        let mut command = self.program(url, "celery")?;
        command.args(["--quiet", "--app", "celery_app", "worker", "--loglevel", "ERROR"]);
        command.args(self.how.options().split(' '));
        Ok(vec![command])
    }

    fn places(&self) -> Places {
        Places::new(&[["LLEN", "celery"]], &[["HLEN", "unacked"]])
    }

    fn reusable(&self) -> Option<(&'static str, String)> {
        Some(("celery", format!("celery-{}-{}", self.tasks, self.ignore_result)))
    }
}
