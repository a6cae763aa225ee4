//! One file a command.

mod demo;
mod options;
mod sql;
mod worker;

use cardoon_errors::Result;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Run a query over files: select … from 'logs/*.csv'
    Sql(sql::Options),
    /// Carry out queries that are sent as tasks: cardoon.data.sql
    Worker(worker::Options),
    /// Show what the engine does, on data made for it
    #[command(subcommand)]
    Demo(demo::Demo),
}

impl Command {
    pub(crate) async fn run(self) -> Result<()> {
        match self {
            Self::Sql(options) => sql::run(options).await,
            Self::Worker(options) => worker::run(options).await,
            Self::Demo(demo) => demo.run().await,
        }
    }
}
