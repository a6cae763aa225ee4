//! What is known of a run when it has ended.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::run::RunEnd;
use crate::settle::Closing;
use crate::{Message, QueueName, RunNumber, TaskId, TaskState, Timestamp};

/// The end of one run of a task: the result that a caller waits for, and a line of the task's history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResultRecord {
    pub id: TaskId,
    pub task: String,
    pub queue: QueueName,
    pub state: TaskState,
    pub run: RunNumber,
    pub attempt: u32,
    /// The return value as JSON; `None` when there is none or the task ignores its result.
    pub value: Option<Bytes>,
    pub failure: Option<TaskFailure>,
    /// The name of the worker that executed it; empty when none did (expired, revoked while waiting).
    pub worker: Arc<str>,
    pub started_at: Option<Timestamp>,
    pub finished_at: Timestamp,
}

impl ResultRecord {
    /// The end of a task whose message leaves its queue without a run of its own. `run` is the number that this end
    /// takes, by [`end_unrun`](crate::run::end_unrun).
    pub fn without_run(
        message: &Message,
        queue: QueueName,
        state: TaskState,
        run: RunNumber,
        failure: Option<TaskFailure>,
        now: Timestamp,
    ) -> Self {
        Self {
            id: message.id.clone(),
            task: message.task.clone(),
            queue,
            state,
            run,
            attempt: message.attempt,
            value: None,
            failure,
            worker: "".into(),
            started_at: None,
            finished_at: now,
        }
    }

    /// How its run closes, for [`settle`](crate::settle::settle).
    pub fn closing(&self) -> Closing {
        let took = self.started_at.map_or(Duration::ZERO, |started_at| self.finished_at.since(started_at));
        let gives_way_until = self.run.gives_way_until(took, self.finished_at);
        Closing { run: self.run, end: self.end(), gives_way_until }
    }

    /// What this end means for the task's run record.
    pub fn end(&self) -> RunEnd {
        if self.state.is_final() { RunEnd::Final } else { RunEnd::Retry }
    }
}

/// Why a run failed: data of the user's program, never an error of ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskFailure {
    /// The kind that retry lists name: the type of the error, or one of our own such as `TimeLimitExceeded`.
    pub kind: String,
    pub message: String,
    /// The chain of causes or a traceback, one a line; may be empty.
    pub details: String,
    /// What an exception was made of, a JSON array, where that is not just the message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arguments: Option<Box<str>>,
}

impl TaskFailure {
    pub fn new(kind: impl Into<String>, message: impl Into<String>) -> Self {
        Self { kind: kind.into(), message: message.into(), details: String::new(), arguments: None }
    }

    /// Its worker was lost after it had been acknowledged early.
    pub fn outcome_unknown() -> Self {
        let message =
            "it was acknowledged when it started, and its worker was lost before it reported an end";
        Self::new("OutcomeUnknown", message)
    }

    /// So many workers died while they executed it that it is not tried on another one.
    pub fn worker_lost(deaths: u32) -> Self {
        Self::new("WorkerLost", format!("{deaths} workers died while they executed it"))
    }
}

impl fmt::Display for TaskFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.message)
    }
}

/// How far a running task says it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    pub done: u64,
    pub total: Option<u64>,
    pub message: String,
}

/// Why a message went to the dead letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeadReason {
    /// The bytes are no task message: not JSON, wrong shape, unknown content type, too deep.
    Malformed,
    /// The message is larger than the limit, as sent or after decompression.
    TooLarge,
    /// The content type is refused (pickle, unless it is accepted by setting).
    Refused,
    /// The task exists, but not with these arguments.
    BadArguments,
    /// No live worker of the queue knows a task of this name.
    UnknownTask,
    /// It was executing each time when this many workers died.
    Poison,
    /// All attempts failed.
    RetriesExhausted,
    /// It failed in a way that is not tried again.
    Failed,
    /// The store refused to keep how it ended.
    NotStored,
}

impl DeadReason {
    pub const ALL: [Self; 9] = [
        Self::Malformed,
        Self::TooLarge,
        Self::Refused,
        Self::BadArguments,
        Self::UnknownTask,
        Self::Poison,
        Self::RetriesExhausted,
        Self::Failed,
        Self::NotStored,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::TooLarge => "too-large",
            Self::Refused => "refused",
            Self::BadArguments => "bad-arguments",
            Self::UnknownTask => "unknown-task",
            Self::Poison => "poison",
            Self::RetriesExhausted => "retries-exhausted",
            Self::Failed => "failed",
            Self::NotStored => "not-stored",
        }
    }

    /// The reason of this name, if there is one.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == text)
    }
}

impl fmt::Display for DeadReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
