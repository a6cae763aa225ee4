use std::fmt;
use std::time::Duration;

use cardoon_core::{Progress, QueueName, ResultRecord, Signature, TaskId, TaskState};

use super::assertions::Call;

/// A task that was sent through an inline [`App`](crate::App).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Sent {
    /// The call, with everything decided: its id, queue and times.
    pub signature: Signature,
    /// How its attempts ended, first to last.
    pub runs: Vec<ResultRecord>,
    /// How long a worker would have paused before each retry; the longest that jitter can draw.
    pub retry_delays: Vec<Duration>,
    /// What the task reported, first to last.
    pub progress: Vec<Progress>,
}

impl Sent {
    pub(super) fn new(signature: Signature) -> Self {
        Self { signature, runs: Vec::new(), retry_delays: Vec::new(), progress: Vec::new() }
    }

    /// The id that it was sent under.
    pub fn id(&self) -> Option<&TaskId> {
        self.signature.options.id.as_ref()
    }

    /// The name of the task.
    pub fn task(&self) -> &str {
        &self.signature.task
    }

    /// The queue that it was sent to.
    pub fn queue(&self) -> Option<&QueueName> {
        self.signature.options.queue.as_ref()
    }

    /// How the task ended; [`TaskState::Pending`] if it did not run.
    pub fn state(&self) -> TaskState {
        self.runs.last().map_or(TaskState::Pending, |run| run.state)
    }
}

impl fmt::Display for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", Call(&self.signature), self.state())
    }
}
