use cardoon_admin::view::PeekLine;
use cardoon_errors::Result;
use serde_json::value::RawValue;

use crate::exit::Exit;
use crate::input;
use crate::output::{Table, local_time};
use crate::session::Session;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The queue
    queue: String,
    /// At most so many
    #[arg(long, default_value_t = 20)]
    limit: usize,
}

pub(crate) async fn run(session: &Session, options: &Options) -> Result<Exit> {
    let queue = input::queue_name(&options.queue)?;
    let stores = session.connect_to_look().await?;
    let waiting = stores.broker.inspect().peek(&queue, options.limit).await?;
    if waiting.is_empty() {
        super::tell_if_unknown(session, &stores, &queue).await?;
    }
    stores.close().await;
    let limits = session.limits();
    let items: Vec<_> = waiting.into_iter().map(|waiting| PeekLine::of(waiting, &limits)).collect();
    session.output.list(&items, table)?;
    Ok(Exit::Done)
}

fn arguments(item: &PeekLine) -> String {
    let text =
        |value: &Option<Box<RawValue>>| value.as_ref().map_or("?".to_owned(), |raw| raw.get().to_owned());
    match text(&item.kwargs).as_str() {
        "{}" => text(&item.args),
        kwargs => format!("{} {kwargs}", text(&item.args)),
    }
}

fn table(items: &[PeekLine]) -> Table {
    let mut table = Table::new(&["ID", "TASK", "ATTEMPT", "PRIORITY", "SENT", "ARGUMENTS"]).right(2).right(3);
    for item in items {
        table.row([
            item.id.clone(),
            item.task.clone(),
            item.attempt.to_string(),
            item.priority.to_string(),
            local_time(item.at),
            arguments(item),
        ]);
    }
    table
}
