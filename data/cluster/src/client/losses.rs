//! Executors that are lost while a query runs.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use cardoon_engine::was_lost;
use cardoon_errors::Result;
use datafusion::error::DataFusionError;
use tokio::time::{interval, timeout};

use super::{Client, state as client};
use crate::limits;
use crate::state::State;

/// What is said of a query that ran when the scheduler lost an executor.
pub(super) fn found(state: &State) -> String {
    let which = state.last_loss.as_deref().unwrap_or("an executor is gone");
    format!("lost while the query ran: {which}")
}

/// How long executors may take to come again, if all were lost.
const RETURN: Duration = Duration::from_secs(2 * limits::LOST_AFTER);

/// Waits until the scheduler has lost more executors than `before`. What it says meanwhile goes to `hear`, and
/// it hears that somebody waits for `query`.
pub(super) async fn since(before: u64, client: &Client, query: &str, hear: impl Fn(State)) -> String {
    let mut rounds = interval(limits::PROBE);
    loop {
        rounds.tick().await;
        // A scheduler that is away ends the query by itself.
        let waiting = client::waiting(&client.address, &client.access, query);
        let Ok(state) = waiting.await else { continue };
        if state.losses != before {
            return found(&state);
        }
        hear(state);
    }
}

/// Whether the last query lost executors, of which the scheduler may not know yet.
#[derive(Debug, Default)]
pub(super) struct Losses(AtomicBool);

impl Losses {
    pub(super) fn note(&self, error: &DataFusionError) {
        if was_lost(error) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    /// The cluster before a query. After a loss the scheduler gets the time to find out who is gone, and executors to
    /// come again.
    pub(super) async fn settled(&self, client: &Client) -> Result<State> {
        if !self.0.swap(false, Ordering::Relaxed) {
            return client.state().await;
        }
        let mut rounds = interval(2 * limits::PROBE);
        rounds.tick().await;
        let waiting = async {
            loop {
                rounds.tick().await;
                let state = client.state().await?;
                if state.threads() > 0 {
                    return Ok(state);
                }
            }
        };
        match timeout(RETURN, waiting).await {
            Ok(state) => state,
            Err(_) => client.state().await,
        }
    }
}
