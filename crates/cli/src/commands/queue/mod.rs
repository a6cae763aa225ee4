mod list;
mod pause;
mod peek;
mod purge;

use cardoon_core::QueueName;
use cardoon_errors::Result;
use clap::Subcommand;

use crate::exit::Exit;
use crate::output::clean;
use crate::session::Session;
use crate::stores::Stores;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the queues with what they hold
    List,
    /// Show what waits in a queue, without taking it
    Peek(peek::Options),
    /// Pause a queue: what is sent to it waits until it is resumed
    Pause(pause::Options),
    /// Resume a paused queue
    Resume(pause::Options),
    /// Delete what waits in a queue
    Purge(purge::Options),
}

pub(crate) async fn run(session: &Session, command: &Command) -> Result<Exit> {
    match command {
        Command::List => list::run(session).await,
        Command::Peek(options) => peek::run(session, options).await,
        Command::Pause(options) => pause::run(session, options, true).await,
        Command::Resume(options) => pause::run(session, options, false).await,
        Command::Purge(options) => purge::run(session, options).await,
    }
}

/// Tells of a queue that nothing is known of: its name may be a slip of the pen.
async fn tell_if_unknown(session: &Session, stores: &Stores, queue: &QueueName) -> Result<()> {
    let queues = stores.broker.inspect().queues().await?;
    if queues.iter().all(|stats| stats.queue != *queue) {
        let names: Vec<_> = queues.iter().map(|stats| clean(stats.queue.as_str())).collect();
        let or = |none: &str, between: &str| {
            if names.is_empty() { none.to_owned() } else { names.join(between) }
        };
        let name = clean(queue.as_str());
        session.talk.say(
            format!("nothing is known of a queue {name}; known: {}", or("none", ", ")),
            format!("没有名为 {name} 的队列；已有的：{}", or("没有", "、")),
        );
    }
    Ok(())
}
