use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use cardoon_errors::{Code, Error, Result};
use serde::Serialize;
use serde_json::Value;

use super::drill::EACH_SLOT;
use super::node::Spec;
use super::parent::OF_VERIFICATION;

/// One of the three questions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    /// How much faster are several slots and workers?
    Efficiency,
    /// Are tasks lost when workers die, stand still or are cut off?
    Faults,
    /// Is a record right that two nodes change at the same time?
    Consistency,
}

impl Measure {
    pub const ALL: [Self; 3] = [Self::Efficiency, Self::Faults, Self::Consistency];
}

/// How much a verification does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// Worker processes.
    pub workers: u32,
    /// Tasks that each of them executes at once.
    pub slots: u32,
    /// Tasks of each run of the efficiency measure.
    pub tasks: u32,
    /// How long each of them waits.
    pub task_ms: u64,
    /// Tasks that do nothing, to find out what the store can do.
    pub noops: u32,
    /// How often a worker is killed with SIGKILL.
    pub kills: u32,
    /// How often one is stopped with SIGSTOP and continued, for [`Self::pause_ms`], which is below the lease.
    pub pauses: u32,
    pub pause_ms: u64,
    /// How often one is ended with SIGTERM and replaced.
    pub restarts: u32,
    /// How often all connections of the workers are reset.
    pub cuts: u32,
    /// How often each of two nodes adds one to a counter.
    pub increments: u32,
    /// Tasks are acknowledged before they run, to see that the loss is noticed.
    pub early: bool,
    /// Of the moments at which workers are killed.
    pub seed: u64,
}

impl Plan {
    /// About a minute.
    pub fn full() -> Self {
        Self {
            workers: 2,
            slots: 4,
            tasks: 160,
            task_ms: 50,
            noops: 5000,
            kills: 5,
            pauses: 2,
            pause_ms: 4000,
            restarts: 2,
            cuts: 2,
            increments: 200,
            early: false,
            seed: 1,
        }
    }

    /// About fifteen seconds.
    pub fn quick() -> Self {
        Self {
            tasks: 48,
            noops: 1500,
            kills: 1,
            pauses: 1,
            pause_ms: 1500,
            restarts: 1,
            cuts: 1,
            increments: 50,
            ..Self::full()
        }
    }

    /// How many tasks are executed by the first two measures, second runs aside.
    pub fn executions(&self, measures: &[Measure]) -> u64 {
        let of = |measure: &Measure| match measure {
            Measure::Efficiency => u64::from(self.tasks) * 3,
            Measure::Faults => {
                self.steps(&[Measure::Faults]) * u64::from(self.workers * self.slots * EACH_SLOT)
            }
            Measure::Consistency => 0,
        };
        measures.iter().map(of).sum()
    }

    /// How often [`Progress::Step`] is reported at most.
    pub fn steps(&self, measures: &[Measure]) -> u64 {
        let of = |measure: &Measure| match measure {
            Measure::Efficiency => 6,
            Measure::Faults => u64::from(self.kills + self.pauses + self.restarts + self.cuts),
            Measure::Consistency => 2,
        };
        measures.iter().map(of).sum()
    }
}

/// What is executed.
#[derive(Debug, Clone)]
pub enum Work {
    /// A task of ours that tells a witness when it starts and ends.
    BuiltIn,
    Own(OwnTask),
}

/// A task of the user. It may have effects, and is executed some hundred times.
#[derive(Debug, Clone)]
pub struct OwnTask {
    pub name: String,
    pub args: Value,
    pub kwargs: Value,
}

/// How processes are started: each command line is completed with what that process is to do.
#[derive(Debug, Clone)]
pub struct Nodes {
    /// Ends in [`super::node`], which is given one more argument.
    pub node: NodeCommand,
    /// Ends in `cardoon worker` for the application of [`Work::Own`]. That has to take the stores of its environment and
    /// no other ones, and to end with this process: see [`super::is_of_verification`].
    pub own_worker: NodeCommand,
}

/// A program and its first arguments.
#[derive(Debug, Clone)]
pub struct NodeCommand {
    pub program: PathBuf,
    pub args: Vec<OsString>,
}

/// Where the stores are. It has no `Debug` form, since it may hold passwords.
#[derive(Clone)]
pub struct Urls {
    pub broker: String,
    pub results: Option<String>,
}

/// What happens now, for those who wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    Begins(Measure),
    /// One more step is done.
    Step,
}

impl NodeCommand {
    /// Completed with what the process is to do.
    pub(super) fn ordered(&self, urls: &Urls, spec: &Spec) -> Result<Command> {
        let spec = serde_json::to_string(spec)
            .map_err(|error| Error::new(Code::Internal, "an order cannot be written").source(error))?;
        let mut command = self.command(urls);
        command.arg(spec);
        Ok(command)
    }

    pub(super) fn command(&self, urls: &Urls) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.args).env(OF_VERIFICATION, std::process::id().to_string());
        // URLs go by the environment: they may hold a password, which process lists would show.
        command.env("CARDOON_BROKER", &urls.broker);
        command.env("CARDOON_RESULTS", urls.results.as_ref().unwrap_or(&urls.broker));
        command
    }
}
