use cardoon_admin::view::QueueLine;
use cardoon_errors::{Language, Result};

use crate::exit::Exit;
use crate::output::{Table, ago, word};
use crate::session::Session;

pub(crate) async fn run(session: &Session) -> Result<Exit> {
    let stores = session.connect_to_look().await?;
    let queues = stores.broker.inspect().queues().await?;
    stores.close().await;
    let items: Vec<_> = queues.iter().map(QueueLine::of).collect();
    session.output.list(&items, |items| table(items, session.language))?;
    Ok(Exit::Done)
}

fn table(items: &[QueueLine], language: Language) -> Table {
    let mut table = Table::new(&["QUEUE", "READY", "DELAYED", "HELD", "DEAD", "WORKERS", "OLDEST", ""]);
    for column in 1..=6 {
        table = table.right(column);
    }
    for item in items {
        let oldest = item.oldest_ms.map(|millis| ago(std::time::Duration::from_millis(millis)));
        let counts = [item.ready, item.delayed, item.held, item.dead, item.workers];
        let cells = std::iter::once(item.queue.clone()).chain(counts.iter().map(ToString::to_string));
        let paused = if item.paused { word(language, "paused") } else { "" };
        table.row(cells.chain([oldest.unwrap_or_default(), paused.to_owned()]));
    }
    table
}
