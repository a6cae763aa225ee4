use std::path::PathBuf;

use cardoon_drills::verify::{Measure, OwnTask, Plan, Work};
use cardoon_errors::{Code, Error, Result};
use clap::ValueEnum;

use crate::input;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// What to measure; everything by default
    #[arg(value_enum, value_name = "MEASURE")]
    measure: Option<Which>,
    /// Do less: about fifteen seconds instead of a minute
    #[arg(long)]
    quick: bool,
    /// Write the report to this file, as a page with plots
    #[arg(long, value_name = "FILE.html")]
    pub(super) report: Option<PathBuf>,
    /// Worker processes
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=64))]
    workers: u32,
    /// Tasks that each worker executes at once
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=1024))]
    slots: u32,
    /// Tasks of each run of the efficiency measure
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    tasks: Option<u32>,
    /// How often a worker is killed
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=1000))]
    kills: Option<u32>,
    /// When tasks are acknowledged; early shows what is lost then
    #[arg(long, value_name = "WHEN", value_enum, default_value = "late", conflicts_with = "task")]
    ack: Ack,
    /// Which moments of killing are chosen
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Measure with this task, which is executed hundreds of times with all its effects
    #[arg(long, value_name = "NAME")]
    task: Option<String>,
    /// Positional arguments
    #[arg(long, value_name = "JSON", default_value = "[]", allow_hyphen_values = true, requires = "task")]
    args: String,
    /// Named arguments
    #[arg(long, value_name = "JSON", default_value = "{}", requires = "task")]
    kwargs: String,
    /// Measure another system for comparison, on the same Redis; half a minute more
    #[arg(long, value_name = "SYSTEM", value_enum)]
    pub(super) against: Option<Other>,
}

/// What a verification adds to the command line of its processes.
#[derive(Debug, clap::Args)]
pub(crate) struct NodeOptions {
    pub(super) spec: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Which {
    Efficiency,
    Faults,
    Consistency,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Ack {
    Late,
    Early,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Other {
    Celery,
}

impl Options {
    pub(super) fn measures(&self) -> Vec<Measure> {
        match self.measure {
            None => Measure::ALL.to_vec(),
            Some(Which::Efficiency) => vec![Measure::Efficiency],
            Some(Which::Faults) => vec![Measure::Faults],
            Some(Which::Consistency) => vec![Measure::Consistency],
        }
    }

    pub(super) fn plan(&self) -> Plan {
        let plan = if self.quick { Plan::quick() } else { Plan::full() };
        // A task of the user may take long.
        let rounds = if self.quick { 1 } else { 2 };
        let tasks = if self.task.is_some() { self.workers * self.slots * rounds } else { plan.tasks };
        Plan {
            workers: self.workers,
            slots: self.slots,
            tasks: self.tasks.unwrap_or(tasks),
            kills: self.kills.unwrap_or(plan.kills),
            early: self.ack == Ack::Early,
            seed: self.seed,
            ..plan
        }
    }

    pub(super) fn work(&self) -> Result<Work> {
        let Some(name) = &self.task else { return Ok(Work::BuiltIn) };
        let read = |json: bytes::Bytes| {
            serde_json::from_slice(&json)
                .map_err(|error| Error::new(Code::BadInput, "the arguments are no JSON").source(error))
        };
        Ok(Work::Own(OwnTask {
            name: name.clone(),
            args: read(input::positional(&self.args)?)?,
            kwargs: read(input::named(&self.kwargs)?)?,
        }))
    }
}
