mod filter;
mod list;
mod purge;
mod redrive;
mod show;

use cardoon_errors::Result;
use clap::Subcommand;

use crate::exit::Exit;
use crate::session::Session;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List dead letters, newest first
    List(list::Options),
    /// Show one with its original bytes
    Show(show::Options),
    /// Send dead letters to their queues again
    Redrive(redrive::Options),
    /// Delete dead letters
    Purge(purge::Options),
}

pub(crate) async fn run(session: &Session, command: &Command) -> Result<Exit> {
    match command {
        Command::List(options) => list::run(session, options).await,
        Command::Show(options) => show::run(session, options).await,
        Command::Redrive(options) => redrive::run(session, options).await,
        Command::Purge(options) => purge::run(session, options).await,
    }
}
