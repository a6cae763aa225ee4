use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use cardoon_core::{DeadReason, Message, TaskId, Timestamp};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::headers::Read;
use crate::{Arguments, JSON, Limits, compression, kombu, nesting, wire_time};

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
}

/// Why a message goes to the dead letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undecodable {
    pub reason: DeadReason,
    /// What is wrong and where, as a lower-case fragment.
    pub detail: String,
}

/// Understands `message`, or says why that is not possible. Never panics, whatever the bytes are.
///
/// Messages of protocol 1, whose body is an object, and messages that ask for follow-ups (`link`, chains, chords)
/// are not understood yet; they are refused rather than executed in part.
pub fn decode(message: &Message, limits: &Limits) -> Result<Incoming, Undecodable> {
    check_size(message, limits)?;
    if message.content_type == kombu::UNREADABLE {
        return Err(malformed(format!("no envelope of kombu: {}", kombu::problem(message))));
    }
    check_content(message)?;
    let headers = read_headers(&message.headers, limits)?;
    let body = match headers.compression.as_deref() {
        None => message.body.clone(),
        Some(method) => compression::unpack(method, &message.body, limits.max_bytes)?,
    };
    let arguments = read_body(&body, limits)?;
    let [time_limit, soft_time_limit] = headers.timelimit.unwrap_or_default();
    Ok(Incoming {
        arguments,
        eta: headers.eta.as_deref().map(|text| time("eta", text)).transpose()?,
        expires: headers.expires.as_deref().map(|text| time("expires", text)).transpose()?,
        time_limit: limit(time_limit)?,
        soft_time_limit: limit(soft_time_limit)?,
        ignore_result: headers.ignore_result.unwrap_or(false),
        root_id: headers.root_id.as_deref().map(|text| id("root_id", text)).transpose()?,
        parent_id: headers.parent_id.as_deref().map(|text| id("parent_id", text)).transpose()?,
        task: task_name(headers.task)?,
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

fn refused(detail: impl Into<String>) -> Undecodable {
    Undecodable::new(DeadReason::Refused, detail)
}

fn check_size(message: &Message, limits: &Limits) -> Result<(), Undecodable> {
    let (size, most) = (message.size(), limits.max_bytes);
    if size <= most {
        return Ok(());
    }
    Err(Undecodable::new(DeadReason::TooLarge, format!("the message has {size} bytes, the limit is {most}")))
}

fn check_content(message: &Message) -> Result<(), Undecodable> {
    let (content, encoding) = (&message.content_type, &message.content_encoding);
    if !content.eq_ignore_ascii_case(JSON) {
        return Err(refused(format!("content type {content:?} is not accepted, only {JSON} is")));
    }
    let known = ["utf-8", "utf8", "us-ascii", "ascii", "binary"];
    if !known.iter().any(|known| encoding.eq_ignore_ascii_case(known)) {
        return Err(refused(format!("content encoding {encoding:?} is not accepted, only utf-8 is")));
    }
    Ok(())
}

fn check_depth(part: &str, json: &[u8], limits: &Limits) -> Result<(), Undecodable> {
    let (depth, most) = (nesting::depth(json), limits.max_depth);
    if depth <= most {
        return Ok(());
    }
    Err(malformed(format!("{part}: nested {depth} deep, the limit is {most}")))
}

fn read_headers(headers: &[u8], limits: &Limits) -> Result<Read, Undecodable> {
    check_depth("headers", headers, limits)?;
    serde_json::from_slice(headers).map_err(|error| malformed(format!("headers: {error}")))
}

fn task_name(task: Option<String>) -> Result<String, Undecodable> {
    match task {
        Some(task) if !task.is_empty() => Ok(task),
        Some(_) => Err(malformed("headers: `task` is empty")),
        None => Err(malformed("headers: `task` is missing")),
    }
}

/// A body as protocol 2 has it.
#[derive(Deserialize)]
struct Body<'a>(
    #[serde(borrow)] &'a RawValue,
    #[serde(borrow)] &'a RawValue,
    #[serde(borrow)] Option<FollowUps<'a>>,
);

/// The third part of a body.
#[derive(Deserialize)]
struct FollowUps<'a> {
    #[serde(borrow)]
    callbacks: Option<&'a RawValue>,
    #[serde(borrow)]
    errbacks: Option<&'a RawValue>,
    #[serde(borrow)]
    chain: Option<&'a RawValue>,
    #[serde(borrow)]
    chord: Option<&'a RawValue>,
}

fn read_body(body: &Bytes, limits: &Limits) -> Result<Arguments, Undecodable> {
    check_depth("body", body, limits)?;
    if body.trim_ascii_start().starts_with(b"{") {
        return Err(malformed("body: an object, as in protocol 1, which is not understood yet"));
    }
    let Body(args, kwargs, follow_ups) =
        serde_json::from_slice(body).map_err(|error| malformed(format!("body: {error}")))?;
    if !args.get().starts_with('[') {
        return Err(malformed("body: the first part, the positional arguments, is no array"));
    }
    if !kwargs.get().starts_with('{') {
        return Err(malformed("body: the second part, the named arguments, is no object"));
    }
    if let Some(follow_ups) = follow_ups {
        check_follow_ups(&follow_ups)?;
    }
    Ok(Arguments::within(body, args, kwargs))
}

fn check_follow_ups(asked: &FollowUps<'_>) -> Result<(), Undecodable> {
    let parts = [
        ("callbacks", asked.callbacks),
        ("errbacks", asked.errbacks),
        ("chain", asked.chain),
        ("chord", asked.chord),
    ];
    let is_asked = |value: Option<&RawValue>| value.is_some_and(|value| value.get() != "[]");
    let Some((name, _)) = parts.into_iter().find(|(_, value)| is_asked(*value)) else { return Ok(()) };
    Err(refused(format!("body: it asks for follow-ups ({name}), which are not sent yet")))
}

fn time(header: &str, text: &str) -> Result<Timestamp, Undecodable> {
    wire_time::read(text).map_err(|error| malformed(format!("headers: `{header}` is no time: {error}")))
}

fn id(header: &str, text: &str) -> Result<TaskId, Undecodable> {
    TaskId::new(text).map_err(|error| malformed(format!("headers: `{header}` is no task id: {error}")))
}

/// Celery takes 0 for no limit.
fn limit(secs: Option<f64>) -> Result<Option<Duration>, Undecodable> {
    let Some(secs) = secs.filter(|secs| *secs != 0.0) else { return Ok(None) };
    let limit = Duration::try_from_secs_f64(secs);
    limit.map(Some).map_err(|error| malformed(format!("headers: `timelimit` holds {secs}: {error}")))
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
        assert!(with_body(r#"{"task": "add"}"#).contains("protocol 1"));
        assert!(with_body(&b"\xff\xfe"[..]).starts_with("malformed: body: expected value"));
        assert!(with_body("").starts_with("malformed: body: EOF"));
    }

    #[test]
    fn limits_hold_before_anything_is_parsed() {
        let deep = format!("[[{}{}], {{}}, {{}}]", "[".repeat(100_000), "]".repeat(100_000));
        let shallow = format!("[[{}{}], {{}}, {{}}]", "[".repeat(9), "]".repeat(9));
        assert!(with_body(deep).starts_with("too-large: the message has"));
        assert_eq!(with_body(shallow), "malformed: body: nested 11 deep, the limit is 10");
    }

    #[test]
    fn other_content_is_refused() {
        let pickle = rejected(|message| message.content_type = "application/x-python-serialize".into());
        assert!(pickle.starts_with("refused: content type \"application/x-python-serialize\""), "{pickle}");
        let latin = rejected(|message| message.content_encoding = "latin-1".into());
        assert!(latin.starts_with("refused: content encoding"), "{latin}");
    }

    #[test]
    fn a_message_that_asks_for_follow_ups_is_not_executed_without_them() {
        let chain = with_body(r#"[[], {}, {"callbacks": null, "chain": [{"task": "next"}]}]"#);
        assert_eq!(chain, "refused: body: it asks for follow-ups (chain), which are not sent yet");
    }
}
