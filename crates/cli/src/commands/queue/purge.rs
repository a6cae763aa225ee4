use cardoon_core::QueueName;
use cardoon_errors::{Code, Error, Result};
use serde_json::json;

use crate::exit::Exit;
use crate::input;
use crate::output::{clean, shell_word};
use crate::session::Session;
use crate::stores::Stores;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The queue
    queue: String,
    /// Do it
    #[arg(long)]
    yes: bool,
}

pub(crate) async fn run(session: &Session, options: &Options) -> Result<Exit> {
    let queue = input::queue_name(&options.queue)?;
    let stores = session.connect_to_look().await?;
    super::tell_if_unknown(session, &stores, &queue).await?;
    if !options.yes {
        question(&stores, &queue).await?;
    }
    let purged = stores.broker.inspect().purge(&queue).await?;
    stores.close().await;
    session.output.one(&json!({ "queue": queue, "purged": purged }), |_| purged.to_string())?;
    Ok(Exit::Done)
}

/// Asks for `--yes` and says how many messages it is about; nothing is asked about none.
async fn question(stores: &Stores, queue: &QueueName) -> Result<()> {
    let queues = stores.broker.inspect().queues().await?;
    let stats = queues.into_iter().find(|stats| stats.queue == *queue);
    let waiting = stats.map_or(0, |stats| stats.ready + stats.delayed);
    if waiting == 0 {
        return Ok(());
    }
    let name = clean(queue.as_str());
    let message = format!("this would delete {waiting} waiting message(s) of {name}");
    Err(Error::new(Code::NeedsYes, message)
        .checked("what workers hold would stay")
        .hint(format!("cardoon queue purge {} --yes", shell_word(queue.as_str()))))
}
