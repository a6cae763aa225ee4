//! Sending as a span of OpenTelemetry.

use cardoon_core::Signature;
use cardoon_worker::trace::{context_here, context_of, continue_from};
use tracing::Span;

/// The span of sending `signature`, with the names that OpenTelemetry's instrumentation of Celery gives; what is sent goes on
/// in it. It ends when it is dropped.
///
/// Where `tracing` has no layer of OpenTelemetry there is no such span: what is sent goes on in the trace that its headers
/// name, else in OpenTelemetry's own current one.
pub fn sending(signature: &mut Signature) -> Span {
    let span = span(signature);
    let carried = cardoon_protocol::trace_of(&signature.options.headers);
    if let Some(carried) = &carried
        && context_of(&Span::current(), None).is_none()
    {
        continue_from(&span, carried);
    }
    let elsewhere = || if carried.is_none() { context_here() } else { None };
    if let Some(trace) = context_of(&span, carried.as_ref()).or_else(elsewhere) {
        let own = &mut signature.options.headers;
        *own = cardoon_protocol::continued(own, &trace);
    }
    span
}

fn span(signature: &Signature) -> Span {
    let Signature { task, options, .. } = signature;
    tracing::info_span!(
        "apply_async",
        otel.name = format!("apply_async/{task}"),
        otel.kind = "producer",
        celery.action = "apply_async",
        celery.task_name = task.as_str(),
        messaging.message.id = options.id.as_ref().map(tracing::field::display),
        messaging.destination = options.queue.as_ref().map(tracing::field::display),
        messaging.destination_kind = "queue",
    )
}
