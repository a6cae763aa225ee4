mod list;
mod peek;
mod purge;

use cardoon_errors::Result;
use clap::Subcommand;

use crate::exit::Exit;
use crate::session::Session;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the queues with what they hold
    List,
    /// Show what waits in a queue, without taking it
    Peek(peek::Options),
    /// Delete what waits in a queue
    Purge(purge::Options),
}

pub(crate) async fn run(session: &Session, command: &Command) -> Result<Exit> {
    match command {
        Command::List => list::run(session).await,
        Command::Peek(options) => peek::run(session, options).await,
        Command::Purge(options) => purge::run(session, options).await,
    }
}
