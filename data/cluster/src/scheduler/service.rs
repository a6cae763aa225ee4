//! What a scheduler answers: Ballista's calls, and its state.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{ConnectInfo, Path, Request, State as Shared};
use axum::http::header::USER_AGENT;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{get, post};
use axum::serve::ListenerExt as _;
use axum::{Json, Router};
use ballista_core::serde::protobuf::scheduler_grpc_server::SchedulerGrpcServer;
use ballista_core::serde::scheduler::ExecutorMetadata;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tonic::service::Routes;

use super::Server;
use super::clients::Clients;
use super::jobs::{Told, jobs};
use super::watch::Losses;
use crate::access::Access;
use crate::limits;
use crate::state::{
    ExecutorState, HOST_HEADER, PATH, QUERY_HEADER, REACH, RUNNING, State, TaskState, VERSION,
};

/// What is asked for.
#[derive(Clone)]
pub(super) struct Served {
    pub(super) server: Arc<Server>,
    pub(super) losses: Losses,
    pub(super) clients: Clients,
    pub(super) told: Told,
}

pub(super) async fn serve(listener: TcpListener, served: Served, access: Access) -> std::io::Result<()> {
    let calls = SchedulerGrpcServer::new(Server::clone(&served.server))
        .max_decoding_message_size(limits::MESSAGE)
        .max_encoding_message_size(limits::MESSAGE);
    let ours = Router::new()
        .route(PATH, get(state))
        .route(RUNNING, post(running))
        .with_state(served)
        .route(REACH, get(reach));
    let service = Routes::new(calls)
        .into_axum_router()
        .merge(ours)
        .layer(middleware::from_fn_with_state(access, guard));
    // An answer is sent at once: one that waits for more to send costs each stage of a query a few hundredths of a second.
    let listener = listener.tap_io(|connection| drop(connection.set_nodelay(true)));
    axum::serve(listener, service.into_make_service_with_connect_info::<SocketAddr>()).await
}

async fn guard(Shared(access): Shared<Access>, request: Request, next: Next) -> Result<Response, StatusCode> {
    let agent = request.headers().get(USER_AGENT).and_then(|agent| agent.to_str().ok());
    if access.lets(agent) { Ok(next.run(request).await) } else { Err(StatusCode::UNAUTHORIZED) }
}

async fn state(
    Shared(Served { server, losses, clients, told }): Shared<Served>,
    headers: HeaderMap,
) -> Result<Json<State>, StatusCode> {
    if let Some(query) = headers.get(QUERY_HEADER).and_then(|query| query.to_str().ok()) {
        clients.hear(query);
    }
    let broken = |_| StatusCode::INTERNAL_SERVER_ERROR;
    let mut executors: Vec<ExecutorState> =
        known(&server).await.map_err(broken)?.into_iter().map(|(executor, _)| executor).collect();
    executors.sort_by_key(|executor| executor.port);
    let jobs = jobs(&server, &told).await;
    let (version, (losses, last_loss)) = (VERSION.to_owned(), losses.told());
    Ok(Json(State { version, executors, losses, last_loss, jobs }))
}

/// Whether an executor that asks can be reached at this port, at the host that it names or where it comes from. Others will
/// have to reach it there.
async fn reach(
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    Path(port): Path<u16>,
    headers: HeaderMap,
) -> StatusCode {
    let host = headers.get(HOST_HEADER).and_then(|host| host.to_str().ok());
    let host = host.map_or_else(|| from.ip().to_string(), str::to_owned);
    match timeout(limits::CONNECT, TcpStream::connect((host, port))).await {
        Ok(Ok(_)) => StatusCode::OK,
        _ => StatusCode::NOT_FOUND,
    }
}

/// An executor tells how far its tasks are.
async fn running(
    Shared(Served { server, told, .. }): Shared<Served>,
    Path(executor): Path<String>,
    Json(tasks): Json<Vec<TaskState>>,
) -> StatusCode {
    let Ok(known) = known(&server).await else { return StatusCode::INTERNAL_SERVER_ERROR };
    let known: Vec<String> = known.into_iter().map(|(executor, _)| executor.id).collect();
    told.hear(executor, tasks, &known);
    StatusCode::OK
}

/// The executors that are not lost, each with the time of its last heartbeat.
pub(super) async fn known(
    server: &Server,
) -> ballista_core::error::Result<Vec<(ExecutorState, Option<Duration>)>> {
    let known = server.state.executor_manager.get_executors_state().await?;
    let state = |executor: ExecutorMetadata| ExecutorState {
        id: executor.id,
        host: executor.host,
        port: executor.port,
        threads: executor.specification.vcores as usize,
    };
    Ok(known.into_iter().map(|(executor, heartbeat, _)| (state(executor), heartbeat)).collect())
}
