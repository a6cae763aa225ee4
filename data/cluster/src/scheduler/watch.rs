//! Finds out which executors are lost.

use std::collections::HashMap;
use std::convert::Infallible;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ballista_core::serde::protobuf::ExecutorStoppedParams;
use ballista_core::serde::protobuf::scheduler_grpc_server::SchedulerGrpc as _;
use futures_util::future::join_all;
use tokio::net::TcpStream;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tonic::Request;

use super::{Server, service};
use crate::limits;
use crate::state::ExecutorState;

/// Rounds without a heartbeat after which an executor is lost. Rounds are counted instead of seconds, since a scheduler
/// that stood still itself has not listened.
const SILENT_ROUNDS: u128 = 1000 * limits::LOST_AFTER as u128 / limits::PROBE.as_millis();

/// How many executors were lost so far. One is counted before its work is given to others, so that whoever finds the
/// same number after a query as before knows that no work was given away.
#[derive(Debug, Clone, Default)]
pub(super) struct Losses(Arc<Mutex<(u64, Option<String>)>>);

impl Losses {
    /// How many, and which one was the last.
    pub(super) fn told(&self) -> (u64, Option<String>) {
        self.lock().clone()
    }

    fn add(&self, found: &str) {
        let mut losses = self.lock();
        *losses = (losses.0 + 1, Some(found.to_owned()));
    }

    /// The same one once more.
    fn again(&self) {
        self.lock().0 += 1;
    }

    fn lock(&self) -> MutexGuard<'_, (u64, Option<String>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What was seen of an executor in earlier rounds.
#[derive(Debug, Default)]
struct Seen {
    heartbeat: Option<Duration>,
    silent: u128,
    lost: bool,
}

/// Looks at the executors, for ever. One whose port refuses connections has no process any more; one that does not answer
/// may be busy, and its heartbeat decides.
pub(super) async fn executors(server: &Server, losses: &Losses) -> Infallible {
    let mut rounds = interval(limits::PROBE);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut before = HashMap::new();
    loop {
        rounds.tick().await;
        if let Ok(known) = service::known(server).await {
            before = round(server, losses, known, before).await;
        }
    }
}

async fn round(
    server: &Server,
    losses: &Losses,
    known: Vec<(ExecutorState, Option<Duration>)>,
    mut before: HashMap<String, Seen>,
) -> HashMap<String, Seen> {
    let refused = join_all(known.iter().map(|(executor, _)| refuses(executor))).await;
    let mut now = HashMap::new();
    for ((executor, heartbeat), refuses) in known.into_iter().zip(refused) {
        let mut seen = before.remove(&executor.id).unwrap_or_default().hears(heartbeat);
        if refuses || seen.silent >= SILENT_ROUNDS {
            seen.lost = true;
            let ExecutorState { host, port, .. } = &executor;
            let found = if refuses {
                format!("{host}:{port} refuses connections")
            } else {
                format!("{host}:{port} is silent")
            };
            losses.add(&found);
            lose(server, &executor, found).await;
        }
        now.insert(executor.id, seen);
    }
    // A query may have begun after a loss was counted, and yet with the executor that was going.
    before.into_values().filter(|seen| seen.lost).for_each(|_| losses.again());
    now
}

impl Seen {
    fn hears(self, heartbeat: Option<Duration>) -> Self {
        let silent = if heartbeat == self.heartbeat { self.silent + 1 } else { 0 };
        Self { heartbeat, silent, lost: false }
    }
}

async fn lose(server: &Server, executor: &ExecutorState, reason: String) {
    // It only fails when the scheduler ends.
    let _ = server
        .executor_stopped(Request::new(ExecutorStoppedParams { executor_id: executor.id.clone(), reason }))
        .await;
}

async fn refuses(executor: &ExecutorState) -> bool {
    let connecting = TcpStream::connect((executor.host.as_str(), executor.port));
    matches!(
        timeout(limits::PROBE, connecting).await,
        Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_rounds_without_a_heartbeat_count() {
        let beat = |second| Some(Duration::from_secs(second));
        let mut seen = Seen::default().hears(beat(1));
        assert_eq!(seen.silent, 0);
        for _ in 0..SILENT_ROUNDS - 1 {
            seen = seen.hears(beat(1));
        }
        assert!(seen.silent < SILENT_ROUNDS);
        assert_eq!(Seen { ..seen }.hears(beat(1)).silent, SILENT_ROUNDS);
        assert_eq!(Seen::default().hears(beat(1)).hears(beat(1)).hears(beat(2)).silent, 0);
    }
}
