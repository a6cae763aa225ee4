//! What is shown of tasks, queues, workers and dead letters to programs: the same on every surface. Times are RFC 3339.

mod findings;
mod letters;
mod queues;
mod runs;
mod tasks;
mod workers;

use serde_json::value::RawValue;

pub use findings::{FindingLine, said};
pub use letters::{BytesView, LetterLine, LetterView};
pub use queues::{PeekLine, QueueLine};
pub use runs::{FailureView, RunView};
pub use tasks::{DeadView, MessageView, ProgressView, TaskLine, TaskView};
pub use workers::WorkerLine;

/// JSON as it was written; `None` for bytes that are none.
pub(crate) fn raw_json(bytes: &[u8]) -> Option<Box<RawValue>> {
    serde_json::from_slice(bytes).ok()
}
