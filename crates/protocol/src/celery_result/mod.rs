//! The document that Celery's key-value result backends store under `celery-task-meta-<id>`.
//!
//! A document of ours has what Celery writes with `result_extended`, less the arguments, and one member more,
//! `cardoon`, with what Celery has no place for. Celery's clients pass over it.

mod exception;
mod read;
mod state;
mod write;

pub use read::read;
pub use state::{read_state, write_state};
pub use write::write;

use serde::{Deserialize, Serialize};

/// The member `cardoon`. Times are milliseconds since 1970.
#[derive(Debug, Serialize, Deserialize)]
struct Ours {
    run: u64,
    attempt: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    started_at: Option<i64>,
    finished_at: i64,
    /// The kind of the failure, where the document has one that Python knows in its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    /// What the failure says, where the exception has more or others than it as its arguments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    /// Whether the member `result` stands for nothing: no value was kept, or no failure is known.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    nothing: bool,
}
