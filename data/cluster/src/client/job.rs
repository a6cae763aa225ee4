//! A query on its way through the scheduler.

use std::sync::Arc;

use ballista_core::config::BALLISTA_JOB_NAME;
use ballista_core::serde::protobuf::execute_query_params::Query;
use ballista_core::serde::protobuf::job_status::Status as Stage;
use ballista_core::serde::protobuf::{
    CancelJobParams, CleanJobDataParams, ExecuteQueryParams, FailedJob, GetJobStatusResult, JobStatus,
    KeyValuePair, PartitionLocation, RemoveSessionParams, SuccessfulJob,
};
use ballista_core::version;
use cardoon_engine::{carried, lost};
use cardoon_errors::{Code, Error};
use datafusion::error::DataFusionError;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::SessionConfig;
use datafusion_proto::physical_plan::AsExecutionPlan as _;
use datafusion_proto::protobuf::PhysicalPlanNode;
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::block_in_place;
use tokio::time::{interval, timeout};
use tonic::{Request, Status, Streaming};

use super::{Client, SchedulerCalls, progress, state};
use crate::access::Access;
use crate::address::Address;
use crate::state::StageState;
use crate::{codec, limits};

/// Why a query has no answer.
pub(super) enum Failure {
    Query(DataFusionError),
    /// The scheduler is away, or refuses.
    Scheduler(Status),
}

/// A query that executors have carried out.
pub(super) struct Done {
    /// Where its rows lie.
    pub(super) places: Vec<PartitionLocation>,
    /// What they did, if the scheduler tells.
    pub(super) stages: Option<Vec<StageState>>,
    pub(super) files: Files,
}

/// What lies with executors.
pub(super) struct Files {
    calls: SchedulerCalls,
    job: String,
}

impl Files {
    /// They are not needed any more. Those that stay when this fails go later.
    pub(super) async fn remove(mut self) {
        let params = CleanJobDataParams { job_id: self.job, remove_stage_ids: Vec::new() };
        let _ = self.calls.clean_job_data(params).await;
    }
}

/// What the scheduler says of a query that failed because executors went away.
const SAYS_LOST: [&str; 4] =
    ["has failed 1 times", "FetchPartitionError", "Shuffle fetch partition error", "all executors were lost"];

/// What it says of a query that was cancelled.
const CANCELLED: &str = "Cancelled";

/// Has executors carry out `plan`, under a `name` that no other query has. Whoever stops waiting cancels the query.
pub(super) async fn carry_out(
    client: &Client,
    mut calls: SchedulerCalls,
    plan: Arc<dyn ExecutionPlan>,
    config: &SessionConfig,
    name: String,
) -> Result<Done, Failure> {
    let request = request(&name, plan, config).map_err(Failure::Query)?;
    let place = (client.address.clone(), client.access.clone());
    let mut waiting = Waiting { place, calls: calls.clone(), name: Some(name.clone()) };
    let ended = match calls.execute_query_push(request).await {
        Ok(steps) => ended(steps.into_inner()).await,
        Err(status) => Err(status),
    };
    waiting.name = None;
    let ended = ended.map_err(Failure::Scheduler)?;
    let stages = progress::last(&mut calls, ended.job.clone()).await;
    // A scheduler that keeps it needs a little more memory.
    let _ = calls.remove_session(RemoveSessionParams { session_id: name }).await;
    match ended.how {
        Ok(done) => {
            let files = Files { calls, job: ended.job };
            Ok(Done { places: done.partition_location, stages, files })
        }
        Err(failed) => Err(Failure::Query(failure(&failed.error))),
    }
}

/// How a query has ended.
struct Ended {
    job: String,
    how: Result<SuccessfulJob, FailedJob>,
}

async fn ended(mut steps: Streaming<GetJobStatusResult>) -> Result<Ended, Status> {
    while let Some(step) = steps.message().await? {
        let Some(JobStatus { job_id: job, status, .. }) = step.status else { continue };
        match status {
            Some(Stage::Successful(done)) => return Ok(Ended { job, how: Ok(done) }),
            Some(Stage::Failed(failed)) => return Ok(Ended { job, how: Err(failed) }),
            _ => {}
        }
    }
    Err(Status::unavailable("it has ended the call"))
}

fn failure(said: &str) -> DataFusionError {
    // This program does not wait for what it cancels itself.
    if said == CANCELLED {
        return lost("the scheduler has not heard of this program for too long");
    }
    if SAYS_LOST.iter().any(|text| said.contains(text)) { lost(said) } else { carried(said) }
}

fn request(
    name: &str,
    plan: Arc<dyn ExecutionPlan>,
    config: &SessionConfig,
) -> Result<Request<ExecuteQueryParams>, DataFusionError> {
    let mut bytes = Vec::new();
    PhysicalPlanNode::try_from_physical_plan(plan, codec::physical().as_ref())
        .and_then(|plan| plan.try_encode(&mut bytes))
        .map_err(|error| too_much(&error))?;
    let entries = config.options().entries();
    let settings = entries.into_iter().map(|entry| KeyValuePair { key: entry.key, value: entry.value });
    let named = KeyValuePair { key: BALLISTA_JOB_NAME.to_owned(), value: Some(name.to_owned()) };
    let mut request = Request::new(ExecuteQueryParams {
        session_id: name.to_owned(),
        operation_id: name.to_owned(),
        settings: settings.filter(|setting| setting.key != BALLISTA_JOB_NAME).chain([named]).collect(),
        query: Some(Query::PhysicalPlan(bytes)),
    });
    version::insert_version_header(request.metadata_mut());
    Ok(request)
}

/// A step of the plan cannot be sent to executors.
fn too_much(error: &DataFusionError) -> DataFusionError {
    let text = error.strip_backtrace();
    let error = Error::new(Code::BadQuery, "a cluster cannot carry out this query")
        .checked(cardoon_errors::text::cut(text.lines().next().unwrap_or_default(), 200))
        .hint("leave out --cluster");
    DataFusionError::External(Box::new(error))
}

/// Cancels the query if it is dropped while the query runs.
struct Waiting {
    place: (Address, Access),
    calls: SchedulerCalls,
    /// Of the query; nothing when it has ended.
    name: Option<String>,
}

/// Cancels the query, as soon as the scheduler has begun it.
async fn cancel((address, access): (Address, Access), mut calls: SchedulerCalls, name: String) {
    let mut rounds = interval(limits::CANCEL / 20);
    loop {
        rounds.tick().await;
        let Ok(state) = state(&address, &access).await else { return };
        if let Some(job) = state.jobs.into_iter().find(|job| job.name == name) {
            // If it fails the query goes on, which is a loss of time only.
            let _ = calls.cancel_job(CancelJobParams { job_id: job.id }).await;
            let _ = calls.remove_session(RemoveSessionParams { session_id: name }).await;
            return;
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let (Some(name), Ok(runtime)) = (self.name.take(), Handle::try_current()) else {
            return;
        };
        let cancelling = timeout(limits::CANCEL, cancel(self.place.clone(), self.calls.clone(), name));
        match runtime.runtime_flavor() {
            // It is waited for, since a process that is interrupted ends right after this.
            RuntimeFlavor::MultiThread => drop(block_in_place(|| runtime.block_on(cancelling))),
            _ => drop(runtime.spawn(cancelling)),
        }
    }
}
