//! What the log says of tasks: every line names the task in fields of the same names.

use cardoon_broker::Settle;
#[cfg(target_os = "linux")]
use cardoon_children::Printed;
use cardoon_core::{TaskState, TraceContext};

/// Says how a task ended; what went well is said quietly.
pub(crate) fn say_end(settle: &Settle, trace: Option<&TraceContext>) {
    macro_rules! say {
        ($level:ident, $record:ident, $text:literal $(, $failure:ident)?) => {
            tracing::$level!(
                task.id = %$record.id,
                task.name = $record.task.as_str(),
                queue = %$record.queue,
                attempt = $record.attempt,
                worker = &*$record.worker,
                trace_id = trace.map(TraceContext::trace_id),
                $($failure,)?
                $text
            )
        };
    }
    let Some(record) = &settle.record else { return };
    let failure = record.failure.as_ref().map(ToString::to_string).unwrap_or_default();
    match record.state {
        TaskState::Success => say!(debug, record, "task succeeded"),
        TaskState::Retry => say!(info, record, "task failed, will be retried", failure),
        TaskState::Revoked => say!(info, record, "task revoked", failure),
        _ => say!(warn, record, "task failed", failure),
    }
}

/// Passes a line on that a child has printed, for the task that printed it if that is known.
#[cfg(target_os = "linux")]
pub(crate) fn say_line(printed: &Printed, worker: &str) {
    let Printed { pid, label, line } = printed;
    let Some(label) = label else {
        tracing::info!(target: "output", worker, pid, "{line}");
        return;
    };
    tracing::info!(
        target: "output",
        {
            task.id = %label.id,
            task.name = &*label.task,
            queue = %label.queue,
            attempt = label.attempt,
            worker,
            trace_id = label.trace.as_ref().map(|trace| trace.trace_id()),
            pid,
        },
        "{line}"
    );
}
