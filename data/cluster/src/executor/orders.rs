use std::sync::Arc;

use async_trait::async_trait;
use ballista_core::serde::protobuf::executor_grpc_server::ExecutorGrpc;
use ballista_core::serde::protobuf::{
    CancelTasksParams, CancelTasksResult, LaunchMultiTaskParams, LaunchMultiTaskResult, LaunchTaskParams,
    LaunchTaskResult, RemoveJobDataParams, RemoveJobDataResult, RunningTaskInfo, StopExecutorParams,
    StopExecutorResult,
};
use ballista_executor::executor::Executor as Work;
use futures_util::future::join_all;
use tokio::time::{interval, timeout};
use tonic::{Request, Response, Status};

use crate::limits;

/// What a scheduler may tell an executor: that nobody waits for its work any more. Work itself is asked for.
pub(super) struct Orders(Arc<Work>);

impl Orders {
    pub(super) fn new(work: Arc<Work>) -> Self {
        Self(work)
    }
}

impl Orders {
    /// Answers whether the task was found. The order may come before the task, which is on its way then.
    async fn cancel(&self, task: RunningTaskInfo) -> bool {
        let mut rounds = interval(limits::CANCEL / 20);
        let found = async {
            loop {
                rounds.tick().await;
                let (stage, number) = (task.stage_id as usize, task.task_id as usize);
                if self.0.cancel_task(task.job_id.clone().into(), stage, number).await.unwrap_or(false) {
                    return;
                }
            }
        };
        timeout(limits::CANCEL, found).await.is_ok()
    }
}

#[async_trait]
impl ExecutorGrpc for Orders {
    async fn cancel_tasks(
        &self,
        request: Request<CancelTasksParams>,
    ) -> Result<Response<CancelTasksResult>, Status> {
        let tasks = request.into_inner().task_infos;
        let cancelled = join_all(tasks.into_iter().map(|task| self.cancel(task))).await;
        let cancelled = cancelled.into_iter().all(|cancelled| cancelled);
        Ok(Response::new(CancelTasksResult { cancelled }))
    }

    async fn launch_task(&self, _: Request<LaunchTaskParams>) -> Result<Response<LaunchTaskResult>, Status> {
        Err(refused())
    }

    async fn launch_multi_task(
        &self,
        _: Request<LaunchMultiTaskParams>,
    ) -> Result<Response<LaunchMultiTaskResult>, Status> {
        Err(refused())
    }

    async fn stop_executor(
        &self,
        _: Request<StopExecutorParams>,
    ) -> Result<Response<StopExecutorResult>, Status> {
        Err(refused())
    }

    async fn remove_job_data(
        &self,
        _: Request<RemoveJobDataParams>,
    ) -> Result<Response<RemoveJobDataResult>, Status> {
        Err(refused())
    }
}

fn refused() -> Status {
    Status::unimplemented("this executor asks for its work")
}
