mod meanings;
mod show;

use cardoon_errors::Result;
use clap::Subcommand;

use crate::exit::Exit;
use crate::session::Session;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show every setting with its value
    Show(show::Options),
}

pub(crate) fn run(session: &Session, command: &Command) -> Result<Exit> {
    match command {
        Command::Show(options) => show::run(session, options),
    }
}
