//! The trace that a task belongs to.

use std::fmt;

/// The place in a trace where a task was sent, as W3C's trace context writes it. It travels in a message's headers
/// `traceparent`, `tracestate` and `baggage`, where OpenTelemetry's instrumentation of Celery reads and writes it too.
#[derive(Clone, PartialEq, Eq)]
pub struct TraceContext {
    parent: Box<str>,
    state: Option<Box<str>>,
    baggage: Option<Box<str>>,
}

impl TraceContext {
    /// `None` for a `traceparent` that is none; the trace begins anew then.
    pub fn new(traceparent: &str, tracestate: Option<&str>, baggage: Option<&str>) -> Option<Self> {
        let present = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(Box::from);
        is_traceparent(traceparent).then(|| Self {
            parent: traceparent.into(),
            state: present(tracestate),
            baggage: present(baggage),
        })
    }

    /// `00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01`: version, trace, span, flags.
    pub fn traceparent(&self) -> &str {
        &self.parent
    }

    /// What tracing systems add of their own.
    pub fn tracestate(&self) -> Option<&str> {
        self.state.as_deref()
    }

    /// What the program adds.
    pub fn baggage(&self) -> Option<&str> {
        self.baggage.as_deref()
    }

    /// 32 hexadecimal digits, the same for all that belongs together.
    pub fn trace_id(&self) -> &str {
        self.parent.get(3..35).unwrap_or_default()
    }
}

/// What the program adds may be a secret.
impl fmt::Debug for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TraceContext").field(&self.parent).finish()
    }
}

/// Later versions may have more behind the flags.
fn is_traceparent(text: &str) -> bool {
    let mut parts = text.splitn(5, '-');
    let mut digits = |count: usize| {
        parts.next().filter(|part| {
            part.len() == count && part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        })
    };
    let is_some = |part: Option<&str>| part.is_some_and(|part| part.bytes().any(|byte| byte != b'0'));
    let version = digits(2).filter(|version| *version != "ff");
    let (trace, span, flags) = (digits(32), digits(16), digits(2));
    let is_complete = version.is_some() && is_some(trace) && is_some(span) && flags.is_some();
    is_complete && (version != Some("00") || parts.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn a_context_is_read_and_says_which_trace_it_is() {
        let trace = TraceContext::new(PARENT, Some("a=1"), Some("")).unwrap();
        assert_eq!((trace.traceparent(), trace.trace_id()), (PARENT, "0af7651916cd43dd8448eb211c80319c"));
        assert_eq!((trace.tracestate(), trace.baggage()), (Some("a=1"), None));
        assert!(TraceContext::new(&format!("cc{}-more", &PARENT[2..]), None, None).is_some());
    }

    #[test]
    fn what_is_no_context_is_none() {
        for text in [
            "",
            "00",
            &PARENT[1..],
            &PARENT.to_uppercase(),
            &format!("{PARENT}-more"),
            &format!("ff{}", &PARENT[2..]),
            &PARENT.replace("0af7651916cd43dd8448eb211c80319c", &"0".repeat(32)),
            &PARENT.replace("b7ad6b7169203331", &"0".repeat(16)),
            "00-äaf7651916cd43dd8448eb211c80319-b7ad6b7169203331-01",
        ] {
            assert_eq!(TraceContext::new(text, None, None), None, "{text}");
        }
    }

    #[test]
    fn what_the_program_adds_is_not_shown() {
        let trace = TraceContext::new(PARENT, None, Some("token=hunter2")).unwrap();
        assert!(!format!("{trace:?}").contains("hunter2"));
    }
}
