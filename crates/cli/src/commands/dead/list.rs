use cardoon_admin::view::LetterLine;
use cardoon_errors::Result;

use super::filter::Filter;
use crate::exit::Exit;
use crate::output::{Table, local_time};
use crate::session::Session;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    filter: Filter,
    /// At most so many
    #[arg(long, default_value_t = 50)]
    limit: usize,
}

pub(crate) async fn run(session: &Session, options: &Options) -> Result<Exit> {
    let filter = options.filter.read()?;
    let stores = session.connect_to_look().await?;
    let letters = stores.broker.dead_letters().list(&filter, options.limit).await?;
    stores.close().await;
    let items: Vec<_> = letters.into_iter().map(LetterLine::of).collect();
    session.output.list(&items, table)?;
    Ok(Exit::Done)
}

fn table(items: &[LetterLine]) -> Table {
    let mut table = Table::new(&["ID", "TASK", "QUEUE", "REASON", "DIED", "DETAIL"]);
    for item in items {
        let died = local_time(item.at);
        table.row([&item.id, &item.task, &item.queue, item.reason.as_str(), &died, &item.detail]);
    }
    table
}
