//! The `cardoon` command: one file a command in `commands`; the rest is what they share.
//!
//! Standard output is data, standard error is talk. Exit statuses: 0 done, 1 failed, 2 usage, 3 not connected,
//! 4 not found, 5 partly done, 6 the application cannot be imported, 130 interrupted.

mod arguments;
mod commands;
mod exit;
mod failure;
mod input;
mod language;
mod log;
mod output;
mod session;
mod signals;
mod stores;
mod talk;
mod usage;

use std::ffi::OsString;

use arguments::Arguments;
use cardoon_errors::Result;
use exit::{Exit, Origin};

/// Carries out a command line, whose first word is the program's name, and answers the exit status. `python` is the
/// interpreter that runs the program, if one does: workers run Python tasks with it unless they are told otherwise.
pub fn run_with(words: &[OsString], python: Option<OsString>) -> u8 {
    let mut arguments = match usage::parse(words) {
        Ok(arguments) => arguments,
        Err(status) => return status,
    };
    let folder = std::env::current_dir().ok();
    arguments.global.set_host(python.clone());
    let (language, format) = (arguments.language(), arguments.output());
    match run(arguments) {
        Ok(exit) => exit.finish(&Origin { words, python, folder }),
        Err(error) => {
            failure::print(&error, language, format);
            error.exit_status()
        }
    }
}

/// The runtime is gone when this returns, so that a worker may replace its process.
fn run(arguments: Arguments) -> Result<Exit> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().map_err(
            |error| {
                let code = cardoon_errors::Code::Internal;
                cardoon_errors::Error::new(code, "cannot start threads").source(error).hint("ulimit -u")
            },
        )?;
    let exit = runtime.block_on(commands::run(arguments));
    runtime.shutdown_background();
    exit
}
