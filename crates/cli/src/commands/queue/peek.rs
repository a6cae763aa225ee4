use cardoon_broker::Waiting;
use cardoon_errors::Result;
use cardoon_protocol::{Limits, decode};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::exit::Exit;
use crate::input;
use crate::output::{Table, local_time, rfc3339};
use crate::session::Session;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The queue
    queue: String,
    /// At most so many
    #[arg(long, default_value_t = 20)]
    limit: usize,
}

#[derive(Serialize)]
struct Item {
    id: String,
    task: String,
    attempt: u32,
    priority: u8,
    args: Option<Box<RawValue>>,
    kwargs: Option<Box<RawValue>>,
    enqueued_at: String,
    eta: Option<String>,
    #[serde(skip)]
    sent: String,
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
    let items: Vec<_> = waiting.into_iter().map(|waiting| Item::of(waiting, &limits)).collect();
    session.output.list(&items, table)?;
    Ok(Exit::Done)
}

impl Item {
    /// The arguments of a message that cannot be read are left out.
    fn of(waiting: Waiting, limits: &Limits) -> Self {
        let incoming = decode(&waiting.message, limits).ok();
        let raw = |bytes: &[u8]| serde_json::from_slice(bytes).ok();
        Self {
            args: incoming.as_ref().and_then(|incoming| raw(incoming.arguments.args())),
            kwargs: incoming.as_ref().and_then(|incoming| raw(incoming.arguments.kwargs())),
            eta: incoming.and_then(|incoming| incoming.eta).map(rfc3339),
            id: waiting.message.id.to_string(),
            task: waiting.message.task,
            attempt: waiting.message.attempt,
            priority: waiting.message.priority.level(),
            enqueued_at: rfc3339(waiting.enqueued_at),
            sent: local_time(waiting.enqueued_at),
        }
    }

    fn arguments(&self) -> String {
        let text =
            |value: &Option<Box<RawValue>>| value.as_ref().map_or("?".to_owned(), |raw| raw.get().to_owned());
        match text(&self.kwargs).as_str() {
            "{}" => text(&self.args),
            kwargs => format!("{} {kwargs}", text(&self.args)),
        }
    }
}

fn table(items: &[Item]) -> Table {
    let mut table = Table::new(&["ID", "TASK", "ATTEMPT", "PRIORITY", "SENT", "ARGUMENTS"]).right(2).right(3);
    for item in items {
        table.row([
            item.id.clone(),
            item.task.clone(),
            item.attempt.to_string(),
            item.priority.to_string(),
            item.sent.clone(),
            item.arguments(),
        ]);
    }
    table
}
