use cardoon_core::{ResultRecord, TaskFailure, TaskState};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::raw_json;
use crate::times::rfc3339;

/// An ended run.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Run)]
pub struct RunView {
    pub id: String,
    pub task: String,
    pub queue: String,
    #[schema(value_type = String)]
    pub state: TaskState,
    pub attempt: u32,
    pub run: u64,
    pub worker: String,
    /// What the task returned.
    #[schema(value_type = Option<Value>)]
    pub result: Option<Box<RawValue>>,
    pub failure: Option<FailureView>,
    pub started_at: Option<String>,
    pub finished_at: String,
}

/// Why a run failed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Failure)]
pub struct FailureView {
    pub kind: String,
    pub message: String,
    /// Causes or a traceback.
    pub details: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arguments: Option<Box<str>>,
}

impl RunView {
    pub fn of(record: &ResultRecord) -> Self {
        Self {
            id: record.id.to_string(),
            task: record.task.clone(),
            queue: record.queue.to_string(),
            state: record.state,
            attempt: record.attempt,
            run: record.run.0,
            worker: record.worker.to_string(),
            result: record.value.as_deref().and_then(raw_json),
            failure: record.failure.as_ref().map(FailureView::of),
            started_at: record.started_at.map(rfc3339),
            finished_at: rfc3339(record.finished_at),
        }
    }
}

impl FailureView {
    fn of(failure: &TaskFailure) -> Self {
        let TaskFailure { kind, message, details, arguments } = failure.clone();
        Self { kind, message, details, arguments }
    }
}
