use cardoon_broker::{Place, Waiting};
use cardoon_core::{ResultRecord, TaskFilter, TaskState};
use cardoon_errors::Result;
use clap::ValueEnum;
use serde::Serialize;

use crate::exit::Exit;
use crate::input;
use crate::output::{Table, local_time, rfc3339};
use crate::session::Session;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Only tasks of this state
    #[arg(long, ignore_case = true)]
    state: Option<State>,
    /// Only tasks of this name
    #[arg(long, value_name = "NAME")]
    task: Option<String>,
    /// Only tasks of this queue
    #[arg(short = 'Q', long)]
    queue: Option<String>,
    /// At most so many
    #[arg(long, default_value_t = 50)]
    limit: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum State {
    Pending,
    Received,
    Started,
    Retry,
    Success,
    Failure,
    Revoked,
}

/// A line of the list.
#[derive(Serialize)]
struct Item {
    id: String,
    task: String,
    queue: String,
    state: TaskState,
    attempt: u32,
    since: String,
    worker: Option<String>,
    #[serde(skip)]
    since_shown: String,
}

pub(crate) async fn run(session: &Session, options: &Options) -> Result<Exit> {
    let queue = options.queue.as_deref().map(input::queue_name).transpose()?;
    let stores = session.connect_to_look().await?;
    let filter = TaskFilter {
        state: options.state.map(State::core),
        task: options.task.clone(),
        queue,
        ..TaskFilter::default()
    };
    let mut items = Vec::new();
    if options.state.is_none_or(|state| !state.is_final()) {
        let waiting = stores.broker.inspect().waiting(&filter, None, options.limit).await?;
        items.extend(waiting.items.into_iter().map(Item::of_message));
    }
    if options.state.is_none_or(State::is_final) {
        let records = stores.results.list(&filter, None, options.limit).await?.items.into_iter();
        items.extend(records.filter(|record| record.state.is_final()).map(Item::of_record));
    }
    stores.close().await;
    items.truncate(options.limit);
    session.output.list(&items, table)?;
    Ok(Exit::Done)
}

impl State {
    fn core(self) -> TaskState {
        match self {
            Self::Pending => TaskState::Pending,
            Self::Received => TaskState::Received,
            Self::Started => TaskState::Started,
            Self::Retry => TaskState::Retry,
            Self::Success => TaskState::Success,
            Self::Failure => TaskState::Failure,
            Self::Revoked => TaskState::Revoked,
        }
    }

    fn is_final(self) -> bool {
        self.core().is_final()
    }
}

impl Item {
    fn of_message((waiting, place): (Waiting, Place)) -> Self {
        let state = place.state(&waiting.message);
        let worker = match place {
            Place::Ready | Place::Delayed { .. } => None,
            Place::Held { worker, .. } => Some(worker),
        };
        Self {
            id: waiting.message.id.to_string(),
            task: waiting.message.task,
            queue: waiting.queue.to_string(),
            state,
            attempt: waiting.message.attempt,
            since: rfc3339(waiting.enqueued_at),
            worker,
            since_shown: local_time(waiting.enqueued_at),
        }
    }

    fn of_record(record: ResultRecord) -> Self {
        Self {
            id: record.id.to_string(),
            task: record.task,
            queue: record.queue.to_string(),
            state: record.state,
            attempt: record.attempt,
            since: rfc3339(record.finished_at),
            since_shown: local_time(record.finished_at),
            worker: Some(record.worker.to_string()).filter(|worker| !worker.is_empty()),
        }
    }
}

fn table(items: &[Item]) -> Table {
    let mut table = Table::new(&["ID", "TASK", "QUEUE", "STATE", "ATTEMPT", "SINCE", "WORKER"]).right(4);
    for item in items {
        table.row([
            item.id.clone(),
            item.task.clone(),
            item.queue.clone(),
            item.state.to_string(),
            item.attempt.to_string(),
            item.since_shown.clone(),
            item.worker.clone().unwrap_or_default(),
        ]);
    }
    table
}
