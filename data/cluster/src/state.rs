//! What a scheduler tells of itself and its cluster.

use cardoon_engine::Counts;
use datafusion::physical_plan::metrics::MetricsSet;
use serde::{Deserialize, Serialize};

/// The version that scheduler, executors and clients of a cluster must share.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Where a scheduler tells its state.
pub(crate) const PATH: &str = "/cardoon/state";

/// Where it tells an executor whether others reach it, for the port behind.
pub(crate) const REACH: &str = "/cardoon/reach/{port}";

/// Where an executor, named behind, tells how far the tasks are that it carries out.
pub(crate) const RUNNING: &str = "/cardoon/running/{executor}";

/// The header with the host that such an executor gives itself.
pub(crate) const HOST_HEADER: &str = "x-cardoon-host";

/// The header with the name of the query that whoever asks waits for.
pub(crate) const QUERY_HEADER: &str = "x-cardoon-query";

/// A cluster as its scheduler sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// The scheduler's version of Cardoon.
    pub version: String,
    /// The executors that are alive, in the order of their ports.
    pub executors: Vec<ExecutorState>,
    /// How many executors were lost since the scheduler began.
    pub losses: u64,
    /// Which one was lost last, and how that was found.
    pub last_loss: Option<String>,
    /// The queries that run.
    pub jobs: Vec<JobState>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecutorState {
    pub id: String,
    pub host: String,
    pub port: u16,
    pub threads: usize,
}

/// A query that runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobState {
    pub id: String,
    /// What the client calls it.
    pub name: String,
    pub stages: Vec<StageState>,
}

/// How far a stage of a query is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct StageState {
    pub id: usize,
    /// What it does.
    pub name: String,
    /// Tasks that have ended, and all; 0 as long as those before it run.
    pub tasks_done: u64,
    pub tasks: u64,
    /// Rows that it has given out.
    pub rows: u64,
    pub counts: Counts,
}

/// How far a task of a stage is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TaskState {
    pub(crate) job: String,
    pub(crate) stage: usize,
    pub(crate) task: usize,
    /// Rows that it has given out.
    pub(crate) rows: u64,
    pub(crate) counts: Counts,
}

impl StageState {
    /// What the operators of a stage or a task have counted, the last one first.
    pub(crate) fn counted(metrics: &[MetricsSet]) -> Self {
        let rows = metrics.first().and_then(MetricsSet::output_rows).unwrap_or_default() as u64;
        Self { rows, counts: Counts::of_all(metrics), ..Self::default() }
    }
}

impl State {
    /// Threads of all executors.
    pub fn threads(&self) -> usize {
        self.executors.iter().map(|executor| executor.threads).sum()
    }
}
