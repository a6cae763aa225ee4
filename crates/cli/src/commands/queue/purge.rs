use cardoon_errors::{Code, Error, Result};
use serde_json::json;

use crate::exit::Exit;
use crate::input;
use crate::output::clean;
use crate::session::Session;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    queue: String,
    /// Do it
    #[arg(long)]
    yes: bool,
}

pub(crate) async fn run(session: &Session, options: &Options) -> Result<Exit> {
    let queue = input::queue_name(&options.queue)?;
    let stores = session.connect().await?;
    super::tell_if_unknown(session, &stores, &queue).await?;
    if !options.yes {
        let queues = stores.broker.inspect().queues().await?;
        let stats = queues.into_iter().find(|stats| stats.queue == queue);
        let waiting = stats.map_or(0, |stats| stats.ready + stats.delayed);
        let name = clean(queue.as_str());
        return Err(Error::new(
            Code::NeedsYes,
            format!("this would delete {waiting} waiting message(s) of {name}"),
        )
        .checked("what workers hold would stay")
        .hint(format!("cardoon queue purge {name} --yes")));
    }
    let purged = stores.broker.inspect().purge(&queue).await?;
    stores.close().await;
    session.output.one(&json!({ "queue": queue, "purged": purged }), |_| purged.to_string())?;
    Ok(Exit::Done)
}
