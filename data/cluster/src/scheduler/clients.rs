//! Who waits for the queries that run. A client that is killed cannot cancel its query; it stops asking how far that is.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ballista_core::JobId;
use ballista_core::serde::protobuf::CleanJobDataParams;
use ballista_core::serde::protobuf::scheduler_grpc_server::SchedulerGrpc as _;
use tokio::time::{MissedTickBehavior, interval};
use tonic::Request;

use super::Server;
use crate::limits;

/// Rounds in which nobody has asked after a query, by its name. Rounds are counted instead of seconds, since a scheduler that stood
/// still itself has not listened.
#[derive(Debug, Clone, Default)]
pub(super) struct Clients(Arc<Mutex<HashMap<String, u128>>>);

/// After so many rounds nobody waits any more.
const SILENT_ROUNDS: u128 = 1000 * limits::ABANDONED_AFTER as u128 / limits::PROBE.as_millis();

impl Clients {
    /// Somebody waits for the query of this name.
    pub(super) fn hear(&self, query: &str) {
        self.rounds().insert(query.to_owned(), 0);
    }

    /// One more round in which these queries run; answers those that nobody waits for.
    fn round<Id>(&self, running: Vec<(Id, String)>) -> Vec<Id> {
        let mut before = self.rounds();
        let mut now = HashMap::new();
        let mut abandoned = Vec::new();
        for (id, query) in running {
            let silent = before.get(&query).copied().unwrap_or_default() + 1;
            if silent > SILENT_ROUNDS {
                abandoned.push(id);
            }
            now.insert(query, silent);
        }
        *before = now;
        abandoned
    }

    /// Cancels what nobody waits for, and has what it has produced removed, for ever.
    pub(super) async fn watch(&self, server: &Server) -> Infallible {
        let mut rounds = interval(limits::PROBE);
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut cancelled: Vec<JobId> = Vec::new();
        loop {
            rounds.tick().await;
            for job in cancelled.drain(..) {
                // Files that stay go later.
                let _ = server.clean_job_data(Request::new(all_of(&job))).await;
            }
            for job in self.round(running(server).await) {
                // If it fails the query goes on, and is cancelled in the next round.
                let _ = server.cancel_job(job.clone()).await;
                cancelled.push(job);
            }
        }
    }

    fn rounds(&self) -> MutexGuard<'_, HashMap<String, u128>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn all_of(job: &JobId) -> CleanJobDataParams {
    CleanJobDataParams { job_id: job.to_string(), remove_stage_ids: Vec::new() }
}

async fn running(server: &Server) -> Vec<(JobId, String)> {
    let mut running = Vec::new();
    for (id, job) in server.state.task_manager.get_running_job_cache().iter() {
        running.push((id.clone(), job.execution_graph.read().await.job_name().to_owned()));
    }
    running
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_query_after_which_nobody_asks_is_abandoned() {
        let clients = Clients::default();
        let running = || vec![(1, "asked".to_owned()), (2, "forgotten".to_owned())];
        for round in 0..SILENT_ROUNDS {
            clients.hear("asked");
            assert!(clients.round(running()).is_empty(), "round {round}");
        }
        clients.hear("asked");
        assert_eq!(clients.round(running()), [2]);
        assert!(clients.round(vec![(3, "new".to_owned())]).is_empty());
        assert_eq!(clients.rounds().len(), 1, "queries that have ended are remembered");
    }
}
