use cardoon_broker::QueueStats;
use cardoon_errors::Result;
use serde::Serialize;

use crate::exit::Exit;
use crate::output::{Table, ago};
use crate::session::Session;

#[derive(Serialize)]
struct Item {
    queue: String,
    ready: u64,
    delayed: u64,
    held: u64,
    dead: u64,
    workers: u64,
    oldest_ms: Option<u64>,
}

pub(crate) async fn run(session: &Session) -> Result<Exit> {
    let stores = session.connect_to_look().await?;
    let queues = stores.broker.inspect().queues().await?;
    stores.close().await;
    let items: Vec<_> = queues.iter().map(Item::of).collect();
    session.output.list(&items, table)?;
    Ok(Exit::Done)
}

impl Item {
    fn of(stats: &QueueStats) -> Self {
        Self {
            queue: stats.queue.to_string(),
            ready: stats.ready,
            delayed: stats.delayed,
            held: stats.held,
            dead: stats.dead,
            workers: stats.workers,
            oldest_ms: stats.oldest.map(|age| age.as_millis() as u64),
        }
    }
}

fn table(items: &[Item]) -> Table {
    let mut table = Table::new(&["QUEUE", "READY", "DELAYED", "HELD", "DEAD", "WORKERS", "OLDEST"]);
    for column in 1..=6 {
        table = table.right(column);
    }
    for item in items {
        let oldest = item.oldest_ms.map(|millis| ago(std::time::Duration::from_millis(millis)));
        let counts = [item.ready, item.delayed, item.held, item.dead, item.workers];
        let cells = std::iter::once(item.queue.clone()).chain(counts.iter().map(ToString::to_string));
        table.row(cells.chain([oldest.unwrap_or_default()]));
    }
    table
}
