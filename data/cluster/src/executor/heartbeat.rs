use std::convert::Infallible;

use ballista_core::serde::protobuf::executor_status::Status;
use ballista_core::serde::protobuf::{ExecutorStatus, HeartBeatParams};
use ballista_executor::executor::Executor as Work;
use tokio::time::interval;

use crate::client::SchedulerCalls;
use crate::limits;

/// Says that the executor is alive, for ever. Asking for work says so too, but who has enough of it seldom asks.
pub(super) async fn send(mut calls: SchedulerCalls, work: &Work) -> Infallible {
    let mut beats = interval(limits::HEARTBEAT);
    loop {
        beats.tick().await;
        let beat = HeartBeatParams {
            executor_id: work.metadata.id.clone(),
            metrics: Vec::new(),
            status: Some(ExecutorStatus { status: Some(Status::Active(String::new())) }),
            metadata: Some(work.metadata.clone()),
        };
        // A scheduler that is away, or that has taken the executor for lost, is told again in a second.
        let _ = calls.heart_beat_from_executor(beat).await;
    }
}
