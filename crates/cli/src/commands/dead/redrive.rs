use cardoon_errors::Result;
use serde_json::json;

use super::filter::{self, Filter};
use crate::exit::Exit;
use crate::session::Session;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    filter: Filter,
    /// Do it
    #[arg(long)]
    yes: bool,
}

pub(crate) async fn run(session: &Session, options: &Options) -> Result<Exit> {
    let chosen = options.filter.read()?;
    let stores = session.connect_to_look().await?;
    if !options.yes {
        filter::question(&stores, &chosen, "send again").await?;
    }
    let missing = filter::missing(&stores, &chosen).await?;
    let redriven = cardoon_admin::redrive(&stores, &chosen).await?;
    stores.close().await;
    session.output.one(&json!({ "redriven": redriven }), |_| redriven.to_string())?;
    filter::all_were_there(session, &stores, &missing)
}
