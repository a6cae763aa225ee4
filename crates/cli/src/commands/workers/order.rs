use cardoon_broker::{Member, Order};
use cardoon_errors::Result;
use serde::Serialize;

use crate::exit::Exit;
use crate::output::Table;
use crate::session::Session;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The workers' names
    #[arg(required_unless_present = "all", value_name = "WORKER")]
    workers: Vec<String>,
    /// All workers that are alive
    #[arg(long, conflicts_with = "workers")]
    all: bool,
}

#[derive(Serialize)]
struct Answer {
    worker: String,
    session: u64,
    pid: u32,
    told: Order,
}

pub(crate) async fn run(session: &Session, options: &Options, order: Order) -> Result<Exit> {
    let stores = session.connect_to_look().await?;
    let members = stores.broker.inspect().members().await?;
    let chosen =
        if options.all { members } else { cardoon_admin::workers::named(members, &options.workers)? };
    let mut told = Vec::new();
    for Member { worker, session, pid, .. } in chosen {
        // Who has left meanwhile needs no order.
        if stores.broker.control().order(session, order).await? {
            told.push(Answer { worker, session, pid, told: order });
        }
    }
    stores.close().await;
    session.output.list(&told, table)?;
    Ok(Exit::Done)
}

fn table(answers: &[Answer]) -> Table {
    let mut table = Table::new(&["WORKER", "PID", "TOLD"]).right(1);
    for answer in answers {
        table.row([answer.worker.clone(), answer.pid.to_string(), answer.told.as_str().to_owned()]);
    }
    table
}
