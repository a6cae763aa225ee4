use std::sync::Arc;

#[cfg(target_os = "linux")]
use bytes::Bytes;
#[cfg(target_os = "linux")]
use cardoon_core::Message;
use cardoon_core::TraceContext;
use tracing::Span;

use crate::engine::{Outcome, Start};

/// The trace of a run: that of its message.
pub(crate) struct RunTrace;

impl RunTrace {
    pub(crate) fn begin(_start: &Start, _worker: &str) -> Self {
        Self
    }

    /// What the run's own lines in the log are within.
    #[expect(clippy::unused_self, reason = "the other one has made it before")]
    pub(crate) fn span(&self, start: &Start, worker: &str) -> Span {
        tracing::info_span!(
            "task",
            task.id = %start.id,
            task.name = &*start.task.name,
            queue = %start.queue,
            attempt = start.attempt,
            worker,
            trace_id = start.call.trace.as_ref().map(|trace| trace.trace_id()),
        )
    }

    /// What the task is told.
    #[expect(clippy::unused_self, reason = "the other one has its own")]
    pub(crate) fn context(&self, start: &Start) -> Option<Arc<TraceContext>> {
        start.call.trace.clone()
    }

    /// The headers that a child is given.
    #[cfg(target_os = "linux")]
    #[expect(clippy::unused_self, reason = "the other one changes them")]
    pub(crate) fn headers(&self, message: &Message) -> Bytes {
        message.headers.clone()
    }

    #[expect(clippy::unused_self, reason = "the other one notes it")]
    pub(crate) fn end(&self, _outcome: &Outcome) {}
}
