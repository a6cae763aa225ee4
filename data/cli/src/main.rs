//! The program behind `cardoon data`: SQL over files, on this machine within a limit of memory.

mod commands;
mod failure;
mod progress;
mod rows;
mod talk;
mod tasks;

use std::process::ExitCode;

use cardoon_errors::{Code, Error, Result};
use clap::Parser as _;

use commands::Command;

#[derive(Debug, clap::Parser)]
#[command(name = "cardoon data", bin_name = "cardoon data", version, about = "SQL and frames over files", long_about = None)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            failure::print(&error);
            ExitCode::from(error.exit_status())
        }
    }
}

fn run(arguments: Arguments) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::new(Code::Internal, "the program cannot start its threads").source(error))?;
    runtime.block_on(arguments.command.run())
}
