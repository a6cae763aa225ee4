use cardoon_admin::listing::{self, Cursor};
use cardoon_admin::view::TaskLine;
use cardoon_core::{TaskFilter, TaskState};
use cardoon_errors::Result;
use clap::ValueEnum;

use crate::exit::Exit;
use crate::input;
use crate::output::{Table, local_time};
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
    let mut next = Some(Cursor::default());
    while let Some(after) = next.filter(|_| items.len() < options.limit) {
        let lines = listing::page(&stores, &filter, &after, options.limit - items.len()).await?;
        items.extend(lines.items);
        next = lines.next;
    }
    stores.close().await;
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
}

fn table(items: &[TaskLine]) -> Table {
    let mut table = Table::new(&["ID", "TASK", "QUEUE", "STATE", "ATTEMPT", "SINCE", "WORKER"]).right(4);
    for item in items {
        table.row([
            item.id.clone(),
            item.task.clone(),
            item.queue.clone(),
            item.state.to_string(),
            item.attempt.to_string(),
            local_time(item.at),
            item.worker.clone().unwrap_or_default(),
        ]);
    }
    table
}
