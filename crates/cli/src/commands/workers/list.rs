use std::time::Duration;

use cardoon_admin::view::WorkerLine;
use cardoon_core::QueueName;
use cardoon_errors::Result;

use crate::exit::Exit;
use crate::output::{Table, ago};
use crate::session::Session;

pub(crate) async fn run(session: &Session) -> Result<Exit> {
    let stores = session.connect_to_look().await?;
    let members = stores.broker.inspect().members().await?;
    stores.close().await;
    let items: Vec<_> = members.into_iter().map(WorkerLine::of).collect();
    session.output.list(&items, table)?;
    Ok(Exit::Done)
}

fn table(items: &[WorkerLine]) -> Table {
    let columns = &["WORKER", "PID", "VERSION", "QUEUES", "TASKS", "SLOTS", "HELD", "HEARTBEAT"];
    let mut table = Table::new(columns).right(1).right(4).right(5).right(6).right(7);
    for item in items {
        let queues: Vec<&str> = item.queues.iter().map(QueueName::as_str).collect();
        table.row([
            item.worker.clone(),
            item.pid.to_string(),
            item.version.clone(),
            queues.join(", "),
            item.tasks.len().to_string(),
            item.slots.to_string(),
            item.held.to_string(),
            ago(Duration::from_millis(item.heartbeat_age_ms)),
        ]);
    }
    table
}
