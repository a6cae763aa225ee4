//! What happened, for those who watch.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{QueueName, TaskId, Timestamp};

/// One thing that happened to a task or a worker. Events are for watching: they may be lost, results may not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    #[serde(rename = "type")]
    pub kind: EventKind,
    pub timestamp: Timestamp,
    /// The worker it happened on, or the sender's name.
    pub worker: Arc<str>,
    #[serde(rename = "uuid", skip_serializing_if = "Option::is_none", default)]
    pub id: Option<TaskId>,
    #[serde(rename = "name", skip_serializing_if = "Option::is_none", default)]
    pub task: Option<Arc<str>>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub queue: Option<QueueName>,
    #[serde(rename = "retries", skip_serializing_if = "Option::is_none", default)]
    pub attempt: Option<u32>,
    /// How many it stands for, if not one: a busy worker counts what goes well, and then it has no `uuid`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub count: Option<u64>,
    /// How long the run took, in seconds; the mean, if it stands for many.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub runtime: Option<f64>,
    /// The failure, the reason or the progress, in words.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub detail: Option<String>,
}

/// The kinds of events, named as Celery names them where it has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EventKind {
    TaskSent,
    TaskReceived,
    TaskStarted,
    TaskSucceeded,
    TaskFailed,
    TaskRetried,
    TaskRevoked,
    TaskProgress,
    /// The task's worker died or fell silent, and the task was put back.
    TaskRescued,
    /// The message went to the dead letters.
    TaskDead,
    WorkerOnline,
    WorkerHeartbeat,
    WorkerOffline,
    /// A worker was found dead or silent by another one.
    WorkerLost,
}

impl EventKind {
    /// Its name, as it is written everywhere.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TaskSent => "task-sent",
            Self::TaskReceived => "task-received",
            Self::TaskStarted => "task-started",
            Self::TaskSucceeded => "task-succeeded",
            Self::TaskFailed => "task-failed",
            Self::TaskRetried => "task-retried",
            Self::TaskRevoked => "task-revoked",
            Self::TaskProgress => "task-progress",
            Self::TaskRescued => "task-rescued",
            Self::TaskDead => "task-dead",
            Self::WorkerOnline => "worker-online",
            Self::WorkerHeartbeat => "worker-heartbeat",
            Self::WorkerOffline => "worker-offline",
            Self::WorkerLost => "worker-lost",
        }
    }
}

impl Event {
    /// How many it stands for.
    pub fn times(&self) -> u64 {
        self.count.unwrap_or(1)
    }

    /// An event about `worker` alone.
    pub fn of_worker(kind: EventKind, worker: Arc<str>, timestamp: Timestamp) -> Self {
        Self {
            kind,
            timestamp,
            worker,
            id: None,
            task: None,
            queue: None,
            attempt: None,
            count: None,
            runtime: None,
            detail: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_called_as_it_is_written() {
        for name in ["task-sent", "task-rescued", "worker-heartbeat"] {
            let kind: EventKind = serde_json::from_str(&format!("\"{name}\"")).unwrap();
            assert_eq!(kind.as_str(), name);
        }
    }
}
