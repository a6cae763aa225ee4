mod get;
mod list;
pub(super) mod outcome;
mod retry;
mod revoke;
mod wait;
mod why;

use cardoon_errors::Result;
use clap::Subcommand;

use crate::exit::Exit;
use crate::session::Session;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List tasks: those that wait or run, then those that have ended, newest first
    List(list::Options),
    /// Show all that is known of a task, run by run
    Get(get::Options),
    /// Wait for a task to end and print its result
    Wait(wait::Options),
    /// Revoke tasks: those that wait are not executed, those that run are told
    Revoke(revoke::Options),
    /// Send a task that failed again, under its id, with the arguments that it had
    Retry(retry::Options),
    /// Say in a sentence why a task has not run
    Why(why::Options),
}

pub(crate) async fn run(session: &Session, command: &Command) -> Result<Exit> {
    match command {
        Command::List(options) => list::run(session, options).await,
        Command::Get(options) => get::run(session, options).await,
        Command::Wait(options) => wait::run(session, options).await,
        Command::Revoke(options) => revoke::run(session, options).await,
        Command::Retry(options) => retry::run(session, options).await,
        Command::Why(options) => why::run(session, options).await,
    }
}
