//! One file a command.

mod cluster;
mod demo;
mod executor;
mod options;
mod scheduler;
mod sql;
mod worker;

use cardoon_errors::Result;

use crate::processes::Program;
use crate::signals;

pub(crate) use options::{Place, TOKEN};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Run a query over files: select … from 'logs/*.csv'
    Sql(sql::Options),
    /// Carry out queries that are sent as tasks: cardoon.data.sql
    Worker(worker::Options),
    /// Start a scheduler and executors on this machine
    Cluster(cluster::Options),
    /// Start the scheduler of a cluster of several machines
    Scheduler(scheduler::Options),
    /// Work for a scheduler, on this machine
    Executor(executor::Options),
    /// Show what the engine does, on data made for it
    #[command(subcommand)]
    Demo(demo::Demo),
}

impl Command {
    pub(crate) async fn run(self, program: Program) -> Result<u8> {
        match self {
            Self::Sql(options) => signals::or_query(sql::run(options)).await,
            Self::Cluster(options) => signals::or_query(cluster::run(options, program)).await,
            Self::Scheduler(options) => signals::or_query(scheduler::run(options)).await,
            Self::Executor(options) => signals::or_query(executor::run(options)).await,
            Self::Demo(demo) => signals::or_query(demo.run(program)).await,
            // It sees to signals itself.
            Self::Worker(options) => worker::run(options).await.map(|()| 0),
        }
    }
}
