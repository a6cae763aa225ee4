//! What a scheduler tells of itself and its cluster.

use serde::{Deserialize, Serialize};

/// The version that scheduler, executors and clients of a cluster must share.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Where a scheduler tells its state.
pub(crate) const PATH: &str = "/cardoon/state";

/// Where it tells an executor whether others reach it, for the port behind.
pub(crate) const REACH: &str = "/cardoon/reach/{port}";

/// The header with the host that such an executor gives itself.
pub(crate) const HOST_HEADER: &str = "x-cardoon-host";

/// A cluster as its scheduler sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// The scheduler's version of Cardoon.
    pub version: String,
    /// The executors that are alive, in the order of their ports.
    pub executors: Vec<ExecutorState>,
    /// How many executors were lost since the scheduler began.
    pub losses: u64,
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

/// How far a query has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobState {
    pub id: String,
    /// What the client calls it.
    pub name: String,
    pub stages: usize,
    pub finished_stages: usize,
}

impl State {
    /// Threads of all executors.
    pub fn threads(&self) -> usize {
        self.executors.iter().map(|executor| executor.threads).sum()
    }
}
