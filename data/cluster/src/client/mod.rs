//! Whoever asks a cluster.

mod answer;
mod fetch;
mod job;
mod losses;
mod progress;
mod state;
#[cfg(test)]
mod tests;
mod watched;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use ballista_core::config::{
    BALLISTA_BROADCAST_JOIN_THRESHOLD_BYTES, BALLISTA_SHUFFLE_SORT_BASED_BATCH_SIZE,
    BALLISTA_SHUFFLE_SORT_BASED_MEMORY_LIMIT_PER_TASK_BYTES,
};
use ballista_core::extension::SessionConfigExt as _;
use ballista_core::extension::SessionConfigHelperExt as _;
use ballista_core::ids::new_instance_id;
use ballista_core::optimizer::ballista_default_optimizer_rules;
use ballista_core::serde::protobuf::PartitionLocation;
use ballista_core::serde::protobuf::scheduler_grpc_client::SchedulerGrpcClient;
use cardoon_engine::{Cluster, Files, Watch, lost, was_lost};
use cardoon_errors::{Code, Error, Result};
use datafusion::error::DataFusionError;
use datafusion::execution::{SendableRecordBatchStream, SessionStateBuilder};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::SessionConfig;
use tonic::transport::{Channel, Endpoint};

use crate::access::{Access, Token};
use crate::address::Address;
use crate::joins;
use crate::limits;
use crate::state::State;
use answer::Answer;
use job::Done;
use losses::Losses;

pub(crate) use state::{is_reached, state, tell};
pub(crate) use watched::Watched;

/// Bytes that a task holds of what it hands on, where memory is short.
const LITTLE: usize = 8 << 20;

pub(crate) type SchedulerCalls = SchedulerGrpcClient<Channel>;

/// Asks a cluster's scheduler, and fetches the rows from its executors.
pub struct Client {
    address: Address,
    access: Access,
    losses: Losses,
}

impl Client {
    /// Errors with [`Code::NoCluster`] if no scheduler answers, with [`Code::OtherCluster`] if it has another version, and
    /// with [`Code::ClusterDenied`] if it has another token.
    pub async fn connect(address: Address, token: Option<Token>) -> Result<Self> {
        let access = Access::new(token);
        state(&address, &access).await?;
        Ok(Self { address, access, losses: Losses::default() })
    }

    /// The cluster as its scheduler sees it now.
    pub async fn state(&self) -> Result<State> {
        state(&self.address, &self.access).await
    }

    pub fn address(&self) -> &Address {
        &self.address
    }
}

#[async_trait]
impl Cluster for Client {
    async fn threads(&self) -> Result<usize, DataFusionError> {
        let state = self.losses.settled(self).await.map_err(external)?;
        if state.threads() == 0 {
            return Err(external(
                Error::new(Code::NoExecutors, "the cluster has no executors")
                    .hint(format!("start one: cardoon data executor --scheduler {}", self.address)),
            ));
        }
        Ok(state.threads())
    }

    fn prepare(&self, mut session: SessionStateBuilder, little_memory: bool) -> SessionStateBuilder {
        let config = configured(session.config().take().unwrap_or_default(), little_memory);
        session
            .with_config(config)
            .with_optimizer_rules(ballista_default_optimizer_rules())
            .with_physical_optimizer_rules(joins::rules())
    }

    async fn run(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        config: &SessionConfig,
        spill_folder: Option<&Path>,
        watch: &Arc<Watch>,
    ) -> Result<SendableRecordBatchStream, DataFusionError> {
        let answer = Answer::new(plan.schema(), spill_folder);
        let Done { places, files, .. } =
            self.done(plan, config, watch).await.inspect_err(|error| self.losses.note(error))?;
        let fetched = self.fetched(answer, places).await.inspect_err(|error| self.losses.note(error));
        files.remove().await;
        fetched
    }
}

impl Client {
    /// Has executors carry out `plan`. If an executor is lost meanwhile, the query has to
    /// be asked again: what a stage had finished with others could be in the answer twice.
    async fn done(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        config: &SessionConfig,
        watch: &Arc<Watch>,
    ) -> Result<Done, DataFusionError> {
        let (files, name) = (Files::of(&plan), new_instance_id());
        let before = self.state().await.map_err(external)?.losses;
        let calls = calls(&self.address, &self.access).await.map_err(external)?;
        let hear = |state: State| {
            if let Some(job) = state.jobs.into_iter().find(|job| job.name == name) {
                watch.tell(progress::of(&files, job.stages));
            }
        };
        let done = tokio::select! {
            done = job::carry_out(self, calls, plan, config, name.clone()) => done,
            found = losses::since(before, self, &name, hear) => return Err(lost(found)),
        };
        let done = match done.map_err(|error| self.explained(error)) {
            Err(error) if was_lost(&error) => return Err(self.named(error, before).await),
            done => done?,
        };
        if let Some(stages) = &done.stages {
            watch.tell(progress::of(&files, stages.clone()));
        }
        let after = self.state().await.map_err(external)?;
        if after.losses == before { Ok(done) } else { Err(lost(losses::found(&after))) }
    }

    /// The `error` of a query whose executors were lost, with which one that was, if there are more losses than `before`.
    async fn named(&self, error: DataFusionError, before: u64) -> DataFusionError {
        match self.state().await {
            Ok(state) if state.losses != before => lost(losses::found(&state)),
            _ => error,
        }
    }

    /// All rows that lie at `places`, those of the first partition first.
    async fn fetched(
        &self,
        mut answer: Answer,
        mut places: Vec<PartitionLocation>,
    ) -> Result<SendableRecordBatchStream, DataFusionError> {
        places.sort_by_key(|place| place.partition_id.as_ref().map(|id| id.partition_id));
        for place in places {
            fetch::rows(place, &self.access, &mut answer).await?;
        }
        answer.into_stream()
    }

    fn explained(&self, failure: job::Failure) -> DataFusionError {
        match failure {
            job::Failure::Query(error) => error,
            job::Failure::Scheduler(status) => external(no_cluster(&self.address, &status.to_string())),
        }
    }
}

/// Ballista's own settings, but for those of joins: they hold a side in memory, as long as there is enough.
fn configured(config: SessionConfig, little_memory: bool) -> SessionConfig {
    let wanted = config.options().optimizer.clone();
    let config = config.upgrade_for_ballista().ballista_restricted_configuration();
    let batch_rows = config.batch_size();
    let mut config = config
        .set_usize(BALLISTA_SHUFFLE_SORT_BASED_BATCH_SIZE, batch_rows)
        .set_usize(BALLISTA_BROADCAST_JOIN_THRESHOLD_BYTES, joins::SMALL);
    let joins = &mut config.options_mut().optimizer;
    joins.prefer_hash_join = !little_memory;
    joins.hash_join_single_partition_threshold = wanted.hash_join_single_partition_threshold;
    joins.hash_join_single_partition_threshold_rows = wanted.hash_join_single_partition_threshold_rows;
    if little_memory {
        config = config.set_usize(BALLISTA_SHUFFLE_SORT_BASED_MEMORY_LIMIT_PER_TASK_BYTES, LITTLE);
    }
    config
}

/// A connection for calls to a scheduler.
pub(crate) async fn calls(address: &Address, access: &Access) -> Result<SchedulerCalls> {
    Ok(SchedulerGrpcClient::new(connection(address, access).await?)
        .max_decoding_message_size(limits::MESSAGE)
        .max_encoding_message_size(limits::MESSAGE))
}

pub(crate) async fn connection(address: &Address, access: &Access) -> Result<Channel> {
    let endpoint = Endpoint::from_shared(address.url())
        .and_then(|endpoint| endpoint.user_agent(access.says()))
        .map_err(|error| no_cluster(address, &error.to_string()))?;
    limits::patient(endpoint).connect().await.map_err(|error| no_cluster(address, &root(&error)))
}

pub(crate) fn no_cluster(address: &Address, found: &str) -> Error {
    Error::new(Code::NoCluster, "the cluster cannot be reached")
        .checked(format!("{address}: {found}"))
        .hint("start one: cardoon data cluster")
}

/// What lies at the bottom of an error.
fn root(error: &dyn std::error::Error) -> String {
    let mut root = error;
    while let Some(cause) = root.source() {
        root = cause;
    }
    root.to_string()
}

fn external(error: Error) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("address", &self.address).finish_non_exhaustive()
    }
}
