//! The program behind `cardoon data`: SQL over files, on this machine within a limit of memory, or on a cluster.

mod commands;
mod failure;
mod processes;
mod progress;
mod rows;
mod signals;
mod talk;
mod tasks;

use std::ffi::OsString;
use std::process::ExitCode;

use cardoon_errors::{Code, Error, Result};
use clap::Parser as _;

use commands::Command;
pub use processes::Program;

#[derive(Debug, clap::Parser)]
#[command(name = "cardoon data", bin_name = "cardoon data", version, about = "SQL and frames over files", long_about = None)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

/// Stack of each thread, in bytes: planning goes as deep as the query does. Only what is used is taken.
const STACK: usize = 256 << 20;

/// Carries out the command in `words`, which do not begin with the name of the program. `program` is what a cluster
/// starts its processes with.
pub fn run(program: Program, words: impl IntoIterator<Item = OsString>) -> ExitCode {
    let words = std::iter::once(OsString::from("cardoon data")).chain(words);
    let arguments = match Arguments::try_parse_from(words) {
        Ok(arguments) => arguments,
        Err(usage) => {
            // Nobody is left to be told that the output is closed.
            let _ = usage.print();
            return ExitCode::from(u8::try_from(usage.exit_code()).unwrap_or(2));
        }
    };
    match carry_out(program, arguments.command) {
        Ok(exit) => exit,
        Err(error) => {
            failure::print(&error);
            ExitCode::from(error.exit_status())
        }
    }
}

fn carry_out(program: Program, command: Command) -> Result<ExitCode> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().thread_stack_size(STACK).enable_all().build().map_err(
            |error| Error::new(Code::Internal, "the program cannot start its threads").source(error),
        )?;
    runtime.block_on(command.run(program))
}
