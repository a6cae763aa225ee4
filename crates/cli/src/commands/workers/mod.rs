mod list;
mod order;

use cardoon_broker::Order;
use cardoon_errors::Result;
use clap::Subcommand;

use crate::exit::Exit;
use crate::session::Session;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the workers that are alive
    List,
    /// Tell workers to take nothing more, to finish what runs, and to end
    Drain(order::Options),
    /// Tell workers to hand back what they have at once, and to end
    Stop(order::Options),
}

pub(crate) async fn run(session: &Session, command: &Command) -> Result<Exit> {
    match command {
        Command::List => list::run(session).await,
        Command::Drain(options) => order::run(session, options, Order::Drain).await,
        Command::Stop(options) => order::run(session, options, Order::Stop).await,
    }
}
