//! Executors that are lost while a query runs.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use cardoon_engine::was_lost;
use cardoon_errors::Result;
use datafusion::error::DataFusionError;
use tokio::time::{interval, timeout};

use super::Client;
use crate::limits;
use crate::state::State;

pub(super) const FOUND: &str = "an executor was lost while the query ran";

/// How long executors may take to come again, if all were lost.
const RETURN: Duration = Duration::from_secs(2 * limits::LOST_AFTER);

/// Waits until the scheduler has lost more executors than `before`. What it says meanwhile goes to `hear`.
pub(super) async fn since(before: u64, client: &Client, hear: impl Fn(State)) -> &'static str {
    let mut rounds = interval(limits::PROBE);
    loop {
        rounds.tick().await;
        // A scheduler that is away ends the query by itself.
        let Ok(state) = client.state().await else { continue };
        if state.losses != before {
            return FOUND;
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
