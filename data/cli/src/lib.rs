//! The program behind `cardoon data`: SQL over files, on this machine within a limit of memory, or on a cluster.

mod beside;
mod commands;
mod failure;
mod local_cluster;
mod processes;
mod progress;
mod rows;
mod signals;
mod talk;
mod tasks;
mod usage;

use std::ffi::OsString;

use cardoon_errors::{Code, Error, Result};

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
/// starts its processes with. Answers the exit status.
pub fn run(program: Program, words: impl IntoIterator<Item = OsString>) -> u8 {
    let words = std::iter::once(OsString::from("cardoon data")).chain(words);
    let arguments = match usage::parse(words) {
        Ok(arguments) => arguments,
        Err(status) => return status,
    };
    match carry_out(program, arguments.command) {
        Ok(status) => status,
        Err(error) => {
            failure::print(&error);
            error.exit_status()
        }
    }
}

fn carry_out(program: Program, command: Command) -> Result<u8> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().thread_stack_size(STACK).enable_all().build().map_err(
            |error| Error::new(Code::Internal, "the program cannot start its threads").source(error),
        )?;
    runtime.block_on(command.run(program))
}
