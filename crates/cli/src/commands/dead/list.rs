use cardoon_broker::DeadLetter;
use cardoon_core::DeadReason;
use cardoon_errors::Result;
use serde::Serialize;

use super::filter::Filter;
use crate::exit::Exit;
use crate::output::{Table, local_time, rfc3339};
use crate::session::Session;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    filter: Filter,
    /// At most so many
    #[arg(long, default_value_t = 50)]
    limit: usize,
}

#[derive(Serialize)]
struct Item {
    id: String,
    task: String,
    queue: String,
    reason: DeadReason,
    detail: String,
    attempt: u32,
    deaths: u32,
    died_at: String,
    #[serde(skip)]
    when: String,
}

pub(crate) async fn run(session: &Session, options: &Options) -> Result<Exit> {
    let filter = options.filter.read()?;
    let stores = session.connect_to_look().await?;
    let letters = stores.broker.dead_letters().list(&filter, options.limit).await?;
    stores.close().await;
    let items: Vec<_> = letters.into_iter().map(Item::of).collect();
    session.output.list(&items, table)?;
    Ok(Exit::Done)
}

impl Item {
    fn of(letter: DeadLetter) -> Self {
        Self {
            id: letter.message.id.to_string(),
            task: letter.message.task,
            queue: letter.queue.to_string(),
            reason: letter.reason,
            detail: letter.detail,
            attempt: letter.message.attempt,
            deaths: letter.deaths,
            died_at: rfc3339(letter.died_at),
            when: local_time(letter.died_at),
        }
    }
}

fn table(items: &[Item]) -> Table {
    let mut table = Table::new(&["ID", "TASK", "QUEUE", "REASON", "DIED", "DETAIL"]);
    for item in items {
        table.row([&item.id, &item.task, &item.queue, item.reason.as_str(), &item.when, &item.detail]);
    }
    table
}
