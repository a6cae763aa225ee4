//! Finds out that an executor is gone before its heartbeat is missed.

use std::convert::Infallible;
use std::io;

use ballista_core::serde::protobuf::ExecutorStoppedParams;
use ballista_core::serde::protobuf::scheduler_grpc_server::SchedulerGrpc as _;
use futures_util::future::join_all;
use tokio::net::TcpStream;
use tokio::time::{interval, timeout};
use tonic::Request;

use super::{Server, service};
use crate::limits;
use crate::state::ExecutorState;

/// Looks at the executors' ports, for ever. One that refuses connections has no process any more; one that does not
/// answer may be busy, and its heartbeat decides.
pub(super) async fn executors(server: &Server) -> Infallible {
    let mut rounds = interval(limits::PROBE);
    loop {
        rounds.tick().await;
        let executors = service::executors(server).await.unwrap_or_default();
        join_all(executors.iter().map(|executor| look(server, executor))).await;
    }
}

async fn look(server: &Server, executor: &ExecutorState) {
    if refuses(executor).await {
        let params = ExecutorStoppedParams {
            executor_id: executor.id.clone(),
            reason: format!("{}:{} refuses connections", executor.host, executor.port),
        };
        // If the event cannot be posted, the next round tries again.
        let _ = server.executor_stopped(Request::new(params)).await;
    }
}

async fn refuses(executor: &ExecutorState) -> bool {
    let connecting = TcpStream::connect((executor.host.as_str(), executor.port));
    matches!(
        timeout(limits::PROBE, connecting).await,
        Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused
    )
}
