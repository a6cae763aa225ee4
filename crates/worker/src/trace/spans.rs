use std::str::FromStr;
use std::sync::Arc;

#[cfg(target_os = "linux")]
use bytes::Bytes;
#[cfg(target_os = "linux")]
use cardoon_core::Message;
use cardoon_core::{RetryHint, TraceContext};
use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState};
use tracing::Span;
use tracing::field::Empty;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use crate::engine::{Outcome, Start};

/// A run as a span, with the names that OpenTelemetry's instrumentation of Celery gives. Its parent is the one who sent the
/// task.
pub(crate) struct RunTrace {
    span: Span,
    context: Option<Arc<TraceContext>>,
}

impl RunTrace {
    pub(crate) fn begin(start: &Start, worker: &str) -> Self {
        let sent_in = start.call.trace.as_deref();
        let span = span(start, worker);
        if let Some(trace) = sent_in {
            continue_from(&span, trace);
        }
        let own = context_of(&span, sent_in).map(Arc::new);
        Self { span, context: own.or_else(|| start.call.trace.clone()) }
    }

    /// What the run's own lines in the log are within.
    pub(crate) fn span(&self, _start: &Start, _worker: &str) -> Span {
        self.span.clone()
    }

    /// What the task is told.
    pub(crate) fn context(&self, _start: &Start) -> Option<Arc<TraceContext>> {
        self.context.clone()
    }

    /// The headers that a child is given.
    #[cfg(target_os = "linux")]
    pub(crate) fn headers(&self, message: &Message) -> Bytes {
        match &self.context {
            Some(trace) => cardoon_protocol::continued(&message.headers, trace),
            None => message.headers.clone(),
        }
    }

    pub(crate) fn end(&self, outcome: &Outcome) {
        let state = match outcome {
            Outcome::Succeeded(_) => "SUCCESS",
            Outcome::Failed(error) if matches!(error.hint, RetryHint::After(_)) => {
                self.span.record("celery.retry.reason", error.failure.to_string());
                "RETRY"
            }
            Outcome::Failed(error) => {
                self.span.record("error.type", error.failure.kind.as_str());
                self.fail(&error.failure.to_string());
                "FAILURE"
            }
            Outcome::ChildDied(how) => {
                self.fail(how);
                "FAILURE"
            }
            Outcome::Ignored => "IGNORED",
            Outcome::Rejected { .. } => "REJECTED",
            Outcome::NotStarted | Outcome::CannotStart(_) | Outcome::Aborted => return,
        };
        self.span.record("celery.state", state);
    }

    fn fail(&self, why: &str) {
        self.span.record("otel.status_code", "ERROR");
        self.span.record("otel.status_description", why);
    }
}

fn span(start: &Start, worker: &str) -> Span {
    let name = &*start.task.name;
    tracing::info_span!(
        "task",
        task.id = %start.id,
        task.name = name,
        queue = %start.queue,
        attempt = start.attempt,
        worker,
        trace_id = start.call.trace.as_ref().map(|trace| trace.trace_id()),
        otel.name = format!("run/{name}"),
        otel.kind = "consumer",
        otel.status_code = Empty,
        otel.status_description = Empty,
        error.type = Empty,
        celery.action = "run",
        celery.task_name = name,
        celery.hostname = worker,
        celery.retries = (start.attempt > 0).then_some(start.attempt),
        celery.state = Empty,
        celery.retry.reason = Empty,
        messaging.message.id = %start.id,
        messaging.destination = %start.queue,
    )
}

/// Makes the sender's place in its trace the parent of `span`.
pub fn continue_from(span: &Span, trace: &TraceContext) {
    let mut parts = trace.traceparent().split('-').skip(1);
    let mut part = || parts.next().unwrap_or_default();
    let (Ok(trace_id), Ok(span_id)) = (TraceId::from_hex(part()), SpanId::from_hex(part())) else { return };
    let flags = TraceFlags::new(u8::from_str_radix(part(), 16).unwrap_or_default());
    let state = trace.tracestate().and_then(|state| TraceState::from_str(state).ok()).unwrap_or_default();
    let parent = SpanContext::new(trace_id, span_id, flags, true, state);
    // A span that nobody traces has no parent.
    let _ = span.set_parent(Context::new().with_remote_span_context(parent));
}

/// What is sent within `span` is to carry: `None` if nobody traces it. What the program added to `before` stays.
pub fn context_of(span: &Span, before: Option<&TraceContext>) -> Option<TraceContext> {
    written(&span.context(), before)
}

/// What is sent here is to carry, if this is no span of `tracing` but one of OpenTelemetry itself.
pub fn context_here() -> Option<TraceContext> {
    written(&Context::current(), None)
}

fn written(context: &Context, before: Option<&TraceContext>) -> Option<TraceContext> {
    let span = context.span();
    let here = span.span_context();
    if !here.is_valid() {
        return None;
    }
    let parent = format!("00-{}-{}-{:02x}", here.trace_id(), here.span_id(), here.trace_flags().to_u8());
    TraceContext::new(&parent, Some(&here.trace_state().header()), before.and_then(TraceContext::baggage))
}
