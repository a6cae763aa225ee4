use cardoon_errors::Result;
use serde_json::json;

use crate::exit::Exit;
use crate::input;
use crate::session::Session;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The task's id
    id: String,
}

pub(crate) async fn run(session: &Session, options: &Options) -> Result<Exit> {
    let id = input::task_id(&options.id)?;
    let stores = session.connect_to_look().await?;
    cardoon_admin::retry::retry(&stores, &id).await?;
    stores.close().await;
    session.output.one(&json!({ "id": id }), |_| id.to_string())?;
    Ok(Exit::Done)
}
