//! The trace in a message's headers.

use bytes::Bytes;
use cardoon_core::TraceContext;
use serde::Deserialize;
use serde_json::Value;

use crate::arguments::Entries;
use crate::retry::replaced;

/// The headers that carry a trace.
const NAMES: [&str; 3] = ["traceparent", "tracestate", "baggage"];

/// The trace that a message's headers, or a sender's own headers, carry.
pub fn trace_of(headers: &[u8]) -> Option<TraceContext> {
    #[derive(Deserialize)]
    struct Carrying {
        traceparent: Option<Value>,
        tracestate: Option<Value>,
        baggage: Option<Value>,
    }
    let Carrying { traceparent, tracestate, baggage } = serde_json::from_slice(headers).ok()?;
    context([traceparent, tracestate, baggage])
}

/// The sender's own headers, a JSON object or nothing, with those of `trace` beside them; one of the sender's own stays.
pub fn carrying(own: &Bytes, trace: &TraceContext) -> Bytes {
    if own.is_empty() {
        return continued(own, trace);
    }
    let has_one = |Entries(entries): Entries<'_>| entries.iter().any(|(name, _)| name == "traceparent");
    match serde_json::from_slice(own).map(has_one) {
        Ok(false) => with_trace(own, trace).unwrap_or_else(|_| own.clone()),
        // Headers that are no object are told of where they are sent.
        Ok(true) | Err(_) => own.clone(),
    }
}

/// Headers, a JSON object or nothing, of what goes on in `trace`, whatever it was in before.
pub fn continued(headers: &Bytes, trace: &TraceContext) -> Bytes {
    let object: &[u8] = if headers.is_empty() { b"{}" } else { headers };
    with_trace(object, trace).unwrap_or_else(|_| headers.clone())
}

/// What is no text is passed over: an odd trace is no reason not to execute a task.
pub(crate) fn context([parent, state, baggage]: [Option<Value>; 3]) -> Option<TraceContext> {
    let text = |value: &Option<Value>| value.as_ref().and_then(Value::as_str).map(str::to_owned);
    TraceContext::new(&text(&parent)?, text(&state).as_deref(), text(&baggage).as_deref())
}

fn with_trace(headers: &[u8], trace: &TraceContext) -> serde_json::Result<Bytes> {
    let values = [Some(trace.traceparent()), trace.tracestate(), trace.baggage()];
    let said = NAMES.iter().zip(values).filter_map(|(name, value)| Some((*name, value?)));
    let written = said.map(|(name, value)| Ok((name, serde_json::to_vec(value)?)));
    let written = written.collect::<serde_json::Result<Vec<_>>>()?;
    let members: Vec<(&str, &[u8])> = written.iter().map(|(name, value)| (*name, &value[..])).collect();
    replaced(headers, &members)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    fn trace() -> TraceContext {
        TraceContext::new(PARENT, Some("a=\"1\""), None).unwrap()
    }

    #[test]
    fn a_trace_is_carried_beside_the_senders_own_headers() {
        let own = Bytes::from_static(br#"{"x-mine": [1]}"#);
        let headers = carrying(&own, &trace());
        assert_eq!(headers, format!(r#"{{"x-mine":[1],"traceparent":"{PARENT}","tracestate":"a=\"1\""}}"#));
        assert_eq!(trace_of(&headers), Some(trace()));
        assert_eq!(trace_of(&carrying(&Bytes::new(), &trace())), Some(trace()));
    }

    #[test]
    fn the_senders_own_trace_stays_until_a_run_goes_on_in_another() {
        let other = PARENT.replace("b7ad", "0000");
        let own = Bytes::from(format!(r#"{{"traceparent":"{other}","baggage":"user=7"}}"#));
        assert_eq!(carrying(&own, &trace()), own);
        let trace = trace_of(&continued(&own, &trace())).unwrap();
        assert_eq!((trace.traceparent(), trace.baggage()), (PARENT, Some("user=7")));
    }

    #[test]
    fn an_odd_trace_is_none() {
        for headers in [
            &br#"{"traceparent":7}"#[..],
            br#"{"traceparent":null}"#,
            br#"{"tracestate":"a=1"}"#,
            br#"{"traceparent":["x"],"baggage":{}}"#,
            b"[]",
        ] {
            assert_eq!(trace_of(headers), None);
        }
        let headers = format!(r#"{{"traceparent":"{PARENT}","tracestate":5,"baggage":null}}"#);
        assert_eq!(trace_of(headers.as_bytes()).unwrap().tracestate(), None);
        assert_eq!(carrying(&Bytes::from_static(b"[]"), &trace()), "[]");
    }
}
