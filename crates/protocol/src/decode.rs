use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cardoon_core::{DeadReason, Message, TaskId, Timestamp, TraceContext};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::content::Content;
use crate::follow_ups::FollowUps;
use crate::headers::Read;
use crate::json_text::problem;
use crate::{Arguments, Limits, kombu, nesting, trace, v1, wire_time};

/// A message that was understood.
#[derive(Debug, Clone, PartialEq)]
pub struct Incoming {
    pub task: String,
    pub arguments: Arguments,
    /// Not before this time.
    pub eta: Option<Timestamp>,
    /// Not after this time.
    pub expires: Option<Timestamp>,
    /// The run is ended after this long.
    pub time_limit: Option<Duration>,
    /// The run is told after this long.
    pub soft_time_limit: Option<Duration>,
    pub ignore_result: bool,
    pub root_id: Option<TaskId>,
    pub parent_id: Option<TaskId>,
    /// The trace that it was sent in.
    pub trace: Option<Arc<TraceContext>>,
}

/// Why a message goes to the dead letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undecodable {
    pub reason: DeadReason,
    /// What is wrong and where, as a lower-case fragment.
    pub detail: String,
}

/// Understands `message`, of protocol 2 or 1, or says why that is not possible. Never panics, whatever the bytes are.
///
/// Messages that ask for follow-ups (`link`, chains, chords) are refused rather than executed in part.
pub fn decode(message: &Message, limits: &Limits) -> Result<Incoming, Undecodable> {
    check_size(message, limits)?;
    if message.content_type == kombu::UNREADABLE {
        return Err(malformed(format!("no envelope of kombu: {}", kombu::problem(message))));
    }
    let content = Content::of(&message.content_type, &message.content_encoding)?;
    let headers = read_headers(&message.headers, limits)?;
    let body = content.json(&message.body, headers.compression.as_deref(), limits)?;
    if headers.task.is_none() && v1::is_body(&body) {
        let (headers, arguments) = read_body_of_v1(&body)?;
        return incoming("body", headers, arguments);
    }
    let arguments = read_body(&body)?;
    incoming("headers", headers, arguments)
}

/// `place` is where the sender put what `headers` holds.
fn incoming(place: &str, headers: Read, arguments: Arguments) -> Result<Incoming, Undecodable> {
    let time = |name, text: Option<String>| text.map(|text| time(place, name, &text)).transpose();
    let id = |name, text: Option<String>| text.map(|text| id(place, name, &text)).transpose();
    let [time_limit, soft_time_limit] = headers.timelimit.unwrap_or_default();
    Ok(Incoming {
        arguments,
        eta: time("eta", headers.eta)?,
        expires: time("expires", headers.expires)?,
        time_limit: limit(place, time_limit)?,
        soft_time_limit: limit(place, soft_time_limit)?,
        ignore_result: headers.ignore_result.unwrap_or(false),
        root_id: id("root_id", headers.root_id)?,
        parent_id: id("parent_id", headers.parent_id)?,
        trace: trace::context([headers.traceparent, headers.tracestate, headers.baggage]).map(Arc::new),
        task: task_name(place, headers.task)?,
    })
}

impl Undecodable {
    pub(crate) fn new(reason: DeadReason, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into() }
    }
}

impl fmt::Display for Undecodable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.reason, self.detail)
    }
}

impl std::error::Error for Undecodable {}

fn malformed(detail: impl Into<String>) -> Undecodable {
    Undecodable::new(DeadReason::Malformed, detail)
}

fn check_size(message: &Message, limits: &Limits) -> Result<(), Undecodable> {
    let (size, most) = (message.size(), limits.max_bytes);
    if message.fits(most) {
        return Ok(());
    }
    Err(Undecodable::new(DeadReason::TooLarge, format!("the message has {size} bytes, the limit is {most}")))
}

fn read_headers(headers: &[u8], limits: &Limits) -> Result<Read, Undecodable> {
    let (depth, most) = (nesting::depth(headers), limits.max_depth);
    if depth > most {
        return Err(malformed(format!("headers: nested {depth} deep, the limit is {most}")));
    }
    let text = std::str::from_utf8(headers).map_err(|error| malformed(format!("headers: {error}")))?;
    serde_json::from_str(text)
        .map_err(|error| malformed(format!("headers: {}", problem(text.as_bytes(), &error))))
}

fn task_name(place: &str, task: Option<String>) -> Result<String, Undecodable> {
    match task {
        Some(task) if !task.is_empty() => Ok(task),
        Some(_) => Err(malformed(format!("{place}: `task` is empty"))),
        None => Err(malformed(format!("{place}: `task` is missing"))),
    }
}

/// A body as protocol 2 has it.
#[derive(Deserialize)]
struct Body<'a>(
    #[serde(borrow)] &'a RawValue,
    #[serde(borrow)] &'a RawValue,
    #[serde(borrow)] Option<FollowUps<'a>>,
);

fn read_body(body: &Bytes) -> Result<Arguments, Undecodable> {
    if v1::is_body(body) {
        return Err(malformed("body: an object, as in protocol 1, but the headers are those of protocol 2"));
    }
    let Body(args, kwargs, follow_ups) = serde_json::from_slice(body)
        .map_err(|error| malformed(format!("body: {}", problem(body, &error))))?;
    if !args.get().starts_with('[') {
        return Err(malformed("body: the first part, the positional arguments, is no array"));
    }
    if !kwargs.get().starts_with('{') {
        return Err(malformed("body: the second part, the named arguments, is no object"));
    }
    follow_ups.map_or(Ok(()), |follow_ups| follow_ups.check())?;
    Ok(Arguments::within(body, Some(args), Some(kwargs)))
}

fn read_body_of_v1(body: &Bytes) -> Result<(Read, Arguments), Undecodable> {
    let read: v1::Body<'_> = serde_json::from_slice(body)
        .map_err(|error| malformed(format!("body: {}", problem(body, &error))))?;
    if read.args.is_some_and(|args| !args.get().starts_with('[')) {
        return Err(malformed("body: `args`, the positional arguments, is no array"));
    }
    if read.kwargs.is_some_and(|kwargs| !kwargs.get().starts_with('{')) {
        return Err(malformed("body: `kwargs`, the named arguments, is no object"));
    }
    read.follow_ups().check()?;
    Ok((read.headers(), Arguments::within(body, read.args, read.kwargs)))
}

fn time(place: &str, name: &str, text: &str) -> Result<Timestamp, Undecodable> {
    wire_time::read(text).map_err(|error| malformed(format!("{place}: `{name}` is no time: {error}")))
}

fn id(place: &str, name: &str, text: &str) -> Result<TaskId, Undecodable> {
    TaskId::new(text).map_err(|error| malformed(format!("{place}: `{name}` is no task id: {error}")))
}

/// Celery takes 0 for no limit.
fn limit(place: &str, secs: Option<f64>) -> Result<Option<Duration>, Undecodable> {
    let Some(secs) = secs.filter(|secs| *secs != 0.0) else { return Ok(None) };
    let limit = Duration::try_from_secs_f64(secs);
    limit.map(Some).map_err(|error| malformed(format!("{place}: `timelimit` holds {secs}: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode;
    use cardoon_core::{Signature, SignatureOptions};

    fn message() -> Message {
        let options = SignatureOptions::default();
        let call = Signature { task: "add".into(), args: "[2,3]".into(), kwargs: "{}".into(), options };
        encode(&call, TaskId::new("t").unwrap(), "test").unwrap()
    }

    fn rejected(change: impl FnOnce(&mut Message)) -> String {
        let mut message = message();
        change(&mut message);
        decode(&message, &Limits { max_bytes: 10_000, max_depth: 10 }).unwrap_err().to_string()
    }

    fn with_headers(headers: &'static str) -> String {
        rejected(|message| message.headers = headers.into())
    }

    fn with_body(body: impl Into<Bytes>) -> String {
        rejected(|message| message.body = body.into())
    }

    #[test]
    fn wrong_headers_are_named() {
        let missing = with_headers(r#"{"id": "t"}"#);
        assert_eq!(missing, "malformed: headers: `task` is missing");
        let limit = with_headers(r#"{"task": "add", "timelimit": [-1, null]}"#);
        assert!(limit.starts_with("malformed: headers: `timelimit` holds -1"), "{limit}");
        let eta = with_headers(r#"{"task": "add", "eta": "soon"}"#);
        assert!(eta.starts_with("malformed: headers: `eta` is no time"), "{eta}");
        let not_json = with_headers("<task/>");
        assert_eq!(not_json, "malformed: headers: expected value at line 1 column 1");
        let parent = with_headers(r#"{"task": "add", "parent_id": ""}"#);
        assert_eq!(parent, "malformed: headers: `parent_id` is no task id: it is empty");
    }

    #[test]
    fn wrong_bodies_say_what_and_where() {
        assert_eq!(
            with_body("[7, {}, {}]"),
            "malformed: body: the first part, the positional arguments, is no array"
        );
        assert_eq!(
            with_body("[[], 7, {}]"),
            "malformed: body: the second part, the named arguments, is no object"
        );
        assert!(with_body("[[], {}]").starts_with("malformed: body: invalid length 2"));
        assert!(with_body("[[], {}, {}, 4]").starts_with("malformed: body: trailing characters"));
        assert!(with_body(r#"{"task": "add"}"#).contains("protocol 1, but"));
        assert!(with_body(&b"\xff\xfe"[..]).starts_with("malformed: body: invalid utf-8"));
        assert!(with_body("").starts_with("malformed: body: EOF"));
    }

    #[test]
    fn limits_hold_before_anything_is_parsed() {
        let deep = format!("[[{}{}], {{}}, {{}}]", "[".repeat(100_000), "]".repeat(100_000));
        let shallow = format!("[[{}{}], {{}}, {{}}]", "[".repeat(9), "]".repeat(9));
        assert!(with_body(deep).starts_with("too-large: the message has"));
        assert_eq!(with_body(shallow), "malformed: body: nested deeper than 10");
    }

    #[test]
    fn other_content_is_refused() {
        let pickle = rejected(|message| message.content_type = "application/x-python-serialize".into());
        assert!(pickle.starts_with("refused: content type \"application/x-python-serialize\""), "{pickle}");
        assert!(pickle.contains("accept_content"), "{pickle}");
        let signed = rejected(|message| message.content_type = "application/data".into());
        assert!(signed.starts_with("refused: content type \"application/data\""), "{signed}");
        let latin = rejected(|message| message.content_encoding = "latin-1".into());
        assert!(latin.starts_with("refused: content encoding"), "{latin}");
    }

    #[test]
    fn a_body_of_protocol_1_is_understood_when_the_headers_name_no_task() {
        let v1 = |body: &'static str| {
            let message = Message { headers: "{}".into(), body: body.into(), ..message() };
            decode(&message, &Limits::default()).map_err(|error| error.to_string())
        };
        let call =
            v1(r#"{"task": "add", "id": "t", "args": [1], "retries": 2, "timelimit": [9, null]}"#).unwrap();
        assert_eq!((call.task.as_str(), call.time_limit), ("add", Some(Duration::from_secs(9))));
        assert_eq!((&call.arguments.args()[..], &call.arguments.kwargs()[..]), (&b"[1]"[..], &b"{}"[..]));
        assert_eq!(v1("{}").unwrap_err(), "malformed: body: `task` is missing");
        assert!(
            v1(r#"{"task": "add", "eta": "soon"}"#)
                .unwrap_err()
                .starts_with("malformed: body: `eta` is no time")
        );
        assert!(v1(r#"{"task": "add", "args": {}}"#).unwrap_err().contains("`args`"));
        assert!(v1(r#"{"task": "add", "kwargs": []}"#).unwrap_err().contains("`kwargs`"));
        let chord = v1(r#"{"task": "add", "callbacks": [], "chord": {"task": "sum"}}"#).unwrap_err();
        assert_eq!(chord, "refused: body: it asks for follow-ups (chord), which are not sent yet");
    }

    #[test]
    fn the_trace_is_read_and_an_odd_one_keeps_no_task_from_running() {
        let traced = |parent: &str| {
            let headers = format!(r#"{{"task": "add", "traceparent": {parent}, "tracestate": "a=1"}}"#);
            decode(&Message { headers: headers.into(), ..message() }, &Limits::default()).unwrap().trace
        };
        let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let trace = traced(&format!("\"{parent}\"")).unwrap();
        assert_eq!((trace.traceparent(), trace.tracestate()), (parent, Some("a=1")));
        assert_eq!(traced("[1]"), None);
        assert_eq!(traced("\"x\""), None);
    }

    #[test]
    fn a_message_that_asks_for_follow_ups_is_not_executed_without_them() {
        let chain = with_body(r#"[[], {}, {"callbacks": null, "chain": [{"task": "next"}]}]"#);
        assert_eq!(chain, "refused: body: it asks for follow-ups (chain), which are not sent yet");
    }
}
