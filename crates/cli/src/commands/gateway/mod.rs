mod serve;
mod token;

use std::path::PathBuf;

use cardoon_errors::Result;
use cardoon_gateway::auth::{TokenFile, TokenPlace};
use cardoon_settings::Flag;
use clap::Subcommand;

use super::service::ServiceOptions;
use crate::arguments::flag;
use crate::exit::Exit;
use crate::session::Session;
pub(super) use serve::open_for_development;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    command: Option<Command>,
    /// The address and the port to listen on; port 0 is a free one
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    #[command(flatten)]
    pub(super) service: ServiceOptions,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Look after the tokens that let programs in
    #[command(subcommand)]
    Token(token::Command),
}

impl Options {
    pub(crate) fn flags(&self) -> Vec<Flag> {
        Vec::from_iter(flag("gateway.listen", "--listen", self.listen.as_deref()))
    }
}

pub(crate) async fn run(session: &Session, options: &Options) -> Result<Exit> {
    match &options.command {
        None => serve::run(session).await,
        Some(Command::Token(command)) => token::run(session, command),
    }
}

/// Where the tokens are kept.
fn token_place(session: &Session) -> Result<TokenPlace> {
    if let Some(path) = &session.settings.gateway.tokens {
        return Ok(TokenPlace::Named(PathBuf::from(path)));
    }
    let database = cardoon_connect::database_file(&cardoon_connect::default_url()?);
    Ok(TokenPlace::Usual(database.unwrap_or_default().with_file_name("tokens.json")))
}

/// The file of the tokens, which need not be there: it is made with the first one.
fn tokens(session: &Session) -> Result<TokenFile> {
    TokenFile::open(token_place(session)?.path(), &session.clock)
}
