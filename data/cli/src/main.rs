//! The program behind `cardoon data`: SQL over files, on this machine within a limit of memory.

mod commands;
mod failure;
mod progress;
mod rows;
mod signals;
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

/// Stack of each thread, in bytes: planning goes as deep as the query does. Only what is used is taken.
const STACK: usize = 256 << 20;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments.command) {
        Ok(exit) => exit,
        Err(error) => {
            failure::print(&error);
            ExitCode::from(error.exit_status())
        }
    }
}

fn run(command: Command) -> Result<ExitCode> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().thread_stack_size(STACK).enable_all().build().map_err(
            |error| Error::new(Code::Internal, "the program cannot start its threads").source(error),
        )?;
    runtime.block_on(command.run())
}
