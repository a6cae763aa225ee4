//! One file a command.

mod demo;
mod options;
mod sql;
mod worker;

use std::process::ExitCode;

use cardoon_errors::Result;

use crate::signals;

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
    pub(crate) async fn run(self) -> Result<ExitCode> {
        match self {
            Self::Sql(options) => signals::or_query(sql::run(options)).await,
            Self::Demo(demo) => signals::or_query(demo.run()).await,
            // It sees to signals itself.
            Self::Worker(options) => worker::run(options).await.map(|()| ExitCode::SUCCESS),
        }
    }
}
