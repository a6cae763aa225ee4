mod backup;
mod check;
mod sizes;
mod vacuum;

use std::path::PathBuf;

use cardoon_connect::care;
use cardoon_errors::Result;
use clap::Subcommand;

use crate::exit::Exit;
use crate::session::Session;
use crate::stores::{self, Urls};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check that the file is sound and that no message is lost in it
    Check(check::Options),
    /// Copy the database as it is at one moment to a file
    Backup(backup::Options),
    /// Give space that nothing holds back to the disk
    Vacuum(vacuum::Options),
}

pub(crate) async fn run(session: &Session, command: &Command) -> Result<Exit> {
    let path = database(session)?;
    match command {
        Command::Check(options) => check::run(session, &path, options).await,
        Command::Backup(options) => backup::run(session, &path, options).await,
        Command::Vacuum(options) => vacuum::run(session, &path, options).await,
    }
}

/// The database of the settings, which must exist.
fn database(session: &Session) -> Result<PathBuf> {
    let path = care::file(Urls::of(&session.settings)?.broker())?;
    match path.try_exists() {
        Ok(false) => Err(stores::no_database(&path)),
        _ => Ok(path),
    }
}
