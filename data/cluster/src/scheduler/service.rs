//! What a scheduler answers: Ballista's calls, and its state.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{Request, State as Shared};
use axum::http::StatusCode;
use axum::http::header::USER_AGENT;
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::get;
use axum::{Json, Router};
use ballista_core::serde::protobuf::scheduler_grpc_server::SchedulerGrpcServer;
use tokio::net::TcpListener;
use tonic::service::Routes;

use super::Server;
use crate::access::Access;
use crate::limits;
use crate::state::{ExecutorState, JobState, PATH, State, VERSION};

pub(super) async fn serve(listener: TcpListener, server: Arc<Server>, access: Access) -> std::io::Result<()> {
    let calls = SchedulerGrpcServer::new(Server::clone(&server))
        .max_decoding_message_size(limits::MESSAGE)
        .max_encoding_message_size(limits::MESSAGE);
    let state = Router::new().route(PATH, get(state)).with_state(server);
    let service = Routes::new(calls)
        .into_axum_router()
        .merge(state)
        .layer(middleware::from_fn_with_state(access, guard));
    axum::serve(listener, service.into_make_service_with_connect_info::<SocketAddr>()).await
}

async fn guard(Shared(access): Shared<Access>, request: Request, next: Next) -> Result<Response, StatusCode> {
    let agent = request.headers().get(USER_AGENT).and_then(|agent| agent.to_str().ok());
    if access.lets(agent) { Ok(next.run(request).await) } else { Err(StatusCode::UNAUTHORIZED) }
}

async fn state(Shared(server): Shared<Arc<Server>>) -> Result<Json<State>, StatusCode> {
    let broken = |_| StatusCode::INTERNAL_SERVER_ERROR;
    let jobs = server.state.task_manager.get_running_jobs().await.map_err(broken)?;
    let job = |job: ballista_scheduler::state::task_manager::JobOverview| JobState {
        id: job.job_id.to_string(),
        stages: job.num_stages,
        finished_stages: job.completed_stages,
    };
    let executors = executors(&server).await.map_err(broken)?;
    Ok(Json(State { version: VERSION.to_owned(), executors, jobs: jobs.into_iter().map(job).collect() }))
}

/// The executors that are not lost.
pub(super) async fn executors(server: &Server) -> ballista_core::error::Result<Vec<ExecutorState>> {
    let known = server.state.executor_manager.get_executors_state().await?;
    let alive = known.into_iter().map(|(executor, _, _)| ExecutorState {
        id: executor.id,
        host: executor.host,
        port: executor.port,
        threads: executor.specification.vcores as usize,
    });
    let mut alive: Vec<ExecutorState> = alive.collect();
    alive.sort_by_key(|executor| executor.port);
    Ok(alive)
}
