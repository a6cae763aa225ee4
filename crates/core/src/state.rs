use std::fmt;

use serde::{Deserialize, Serialize};

/// Where a task stands, in Celery's words (`celery/states.py`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum TaskState {
    /// Waiting, or not known: the two look the same to a result backend.
    Pending,
    /// A worker holds it and has not started it.
    Received,
    /// A worker executes it.
    Started,
    Success,
    Failure,
    /// An attempt failed and the next one is scheduled.
    Retry,
    Revoked,
}

impl TaskState {
    /// Whether nothing more will happen to the task by itself.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Success | Self::Failure | Self::Revoked)
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Received => "RECEIVED",
            Self::Started => "STARTED",
            Self::Success => "SUCCESS",
            Self::Failure => "FAILURE",
            Self::Retry => "RETRY",
            Self::Revoked => "REVOKED",
        }
    }

    /// The state of this name, if there is one; case matters.
    pub fn parse(text: &str) -> Option<Self> {
        [
            Self::Pending,
            Self::Received,
            Self::Started,
            Self::Success,
            Self::Failure,
            Self::Retry,
            Self::Revoked,
        ]
        .into_iter()
        .find(|state| state.as_str() == text)
    }
}

impl fmt::Display for TaskState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
