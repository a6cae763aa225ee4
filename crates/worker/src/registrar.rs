//! Registers runs that may not be the first of their task.

use std::sync::Arc;

use cardoon_errors::Result;
use cardoon_results::{BeginRun, ResultBackend};
use cardoon_runtime::Clock;
use tokio::sync::mpsc;

use crate::engine::{Event, Ticket};
use crate::inbox::Inbox;
use crate::retrying::persist;

/// Runs that are registered in one step at most.
const BATCH: usize = 256;

pub(crate) struct Registrar {
    pub results: Arc<dyn ResultBackend>,
    pub clock: Clock,
    pub inbox: Inbox,
}

impl Registrar {
    pub(crate) async fn run(self, mut queue: mpsc::UnboundedReceiver<(Ticket, BeginRun)>) -> Result<()> {
        let mut batch = Vec::new();
        while queue.recv_many(&mut batch, BATCH).await > 0 {
            let (tickets, runs): (Vec<Ticket>, Vec<BeginRun>) = batch.drain(..).unzip();
            let answers = persist(&self.clock, runs, |batch| self.results.begin(batch)).await;
            for (ticket, answer) in tickets.into_iter().zip(answers) {
                self.inbox.send(match answer {
                    Ok(begun) => Event::Begun { ticket, begun },
                    Err(error) => {
                        tracing::error!(%error, "a run cannot be registered; it is put off");
                        Event::NotBegun(ticket)
                    }
                });
            }
        }
        Ok(())
    }
}
