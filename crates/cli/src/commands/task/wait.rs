use std::time::Duration;

use cardoon_admin::Whereabouts;
use cardoon_errors::Result;

use super::outcome;
use crate::exit::Exit;
use crate::input;
use crate::session::Session;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The task's id
    id: String,
    /// Wait for at most this time; for ever by default
    #[arg(long, value_name = "TIME", value_parser = input::duration)]
    timeout: Option<Duration>,
}

pub(crate) async fn run(session: &Session, options: &Options) -> Result<Exit> {
    let id = input::task_id(&options.id)?;
    let stores = session.connect_to_look().await?;
    Whereabouts::of(&stores, &id).await?.or_unknown(&stores, &id)?;
    outcome::wait_and_print(session, &stores, &id, options.timeout).await
}
