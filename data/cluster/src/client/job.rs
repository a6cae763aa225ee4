//! A query on its way through the scheduler.

use std::sync::Arc;

use ballista_core::serde::protobuf::execute_query_params::Query;
use ballista_core::serde::protobuf::job_status::Status as Stage;
use ballista_core::serde::protobuf::{
    CancelJobParams, ExecuteQueryParams, JobStatus, KeyValuePair, PartitionLocation,
};
use ballista_core::version;
use cardoon_engine::{carried, lost};
use datafusion::error::DataFusionError;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::SessionConfig;
use datafusion_proto::physical_plan::AsExecutionPlan as _;
use datafusion_proto::protobuf::PhysicalPlanNode;
use tonic::{Request, Status};

use super::SchedulerCalls;
use crate::codec;

/// Why a query has no answer.
pub(super) enum Failure {
    Query(DataFusionError),
    /// The scheduler is away, or refuses.
    Scheduler(Status),
}

/// What the scheduler says of a query that failed because executors went away.
const SAYS_LOST: [&str; 3] =
    ["FetchPartitionError", "Shuffle fetch partition error", "all executors were lost"];

/// Has executors carry out `plan`, and answers where its rows lie. Whoever stops waiting cancels the query.
pub(super) async fn carry_out(
    mut calls: SchedulerCalls,
    plan: Arc<dyn ExecutionPlan>,
    config: &SessionConfig,
) -> Result<Vec<PartitionLocation>, Failure> {
    let request = request(plan, config).map_err(Failure::Query)?;
    let mut steps = calls.execute_query_push(request).await.map_err(Failure::Scheduler)?.into_inner();
    let mut waiting = Waiting { calls, job: None };
    while let Some(step) = steps.message().await.map_err(Failure::Scheduler)? {
        let Some(JobStatus { job_id, status, .. }) = step.status else { continue };
        waiting.job = Some(job_id);
        match status {
            Some(Stage::Successful(done)) => {
                waiting.job = None;
                return Ok(done.partition_location);
            }
            Some(Stage::Failed(failed)) => {
                waiting.job = None;
                return Err(Failure::Query(failure(&failed.error)));
            }
            _ => {}
        }
    }
    Err(Failure::Scheduler(Status::unavailable("it has ended the call")))
}

fn failure(said: &str) -> DataFusionError {
    if SAYS_LOST.iter().any(|text| said.contains(text)) { lost(said) } else { carried(said) }
}

fn request(
    plan: Arc<dyn ExecutionPlan>,
    config: &SessionConfig,
) -> Result<Request<ExecuteQueryParams>, DataFusionError> {
    let mut bytes = Vec::new();
    PhysicalPlanNode::try_from_physical_plan(plan, codec::physical().as_ref())?.try_encode(&mut bytes)?;
    let entries = config.options().entries();
    let settings = entries.into_iter().map(|entry| KeyValuePair { key: entry.key, value: entry.value });
    let id = ballista_core::ids::new_instance_id();
    let mut request = Request::new(ExecuteQueryParams {
        session_id: id.clone(),
        operation_id: id,
        settings: settings.collect(),
        query: Some(Query::PhysicalPlan(bytes)),
    });
    version::insert_version_header(request.metadata_mut());
    Ok(request)
}

/// Cancels the query if it is dropped while the query runs.
struct Waiting {
    calls: SchedulerCalls,
    job: Option<String>,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let (Some(job_id), Ok(runtime)) = (self.job.take(), tokio::runtime::Handle::try_current()) else {
            return;
        };
        let mut calls = self.calls.clone();
        runtime.spawn(async move {
            // A query that goes on is a loss of time only.
            let _ = calls.cancel_job(CancelJobParams { job_id }).await;
        });
    }
}
