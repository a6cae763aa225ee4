use std::borrow::Cow;

use bytes::Bytes;
use cardoon_core::{Message, Signature, TaskId};
use cardoon_errors::{Code, Error, Result};

use crate::arguments::Entries;
use crate::headers::Written;
use crate::{JSON, Limits, json_text, nesting};

/// The third part of a body when nothing follows the task.
const NO_FOLLOW_UPS: &[u8] = br#"{"callbacks":null,"errbacks":null,"chain":null,"chord":null}"#;

/// Writes the message that asks for `signature` to be executed under `id`. `origin` names the sender, for people.
///
/// `options.countdown` is not looked at: the sender, who has the clock, turns it into `eta` first.
///
/// # Errors
///
/// `CD2006` if the arguments are no JSON array and no JSON object or are nested deeper than 126, `CD2002` if the
/// message is larger than 16 MiB.
pub fn encode(signature: &Signature, id: TaskId, origin: &str) -> Result<Message> {
    encode_within(signature, id, origin, &Limits::default())
}

/// Writes the message as [`encode`] does, within other limits than the usual ones.
///
/// # Errors
///
/// `CD2006` and `CD2002`, as [`encode`].
pub fn encode_within(signature: &Signature, id: TaskId, origin: &str, limits: &Limits) -> Result<Message> {
    // Before anything is written, so that what is far too large is not copied first.
    check_size(&signature.task, signature.args.len() + signature.kwargs.len(), limits)?;
    check_depth(signature, limits)?;
    let headers = headers(signature, &id, origin)?;
    let message = Message {
        id,
        attempt: 0,
        task: signature.task.clone(),
        priority: signature.options.priority.unwrap_or_default(),
        expires: signature.options.expires,
        content_type: Cow::Borrowed(JSON),
        content_encoding: Cow::Borrowed("utf-8"),
        headers,
        body: body(&signature.args, &signature.kwargs),
    };
    check_size(&message.task, message.size(), limits)?;
    Ok(message)
}

fn headers(signature: &Signature, id: &TaskId, origin: &str) -> Result<Bytes> {
    let not_json = |error: serde_json::Error| {
        let message = format!("the arguments of {} cannot be written as JSON", signature.task);
        Error::new(Code::NotSerializable, message)
            .checked(error.to_string())
            .hint("positional arguments are a JSON array, named arguments a JSON object")
    };
    let mut json = Vec::with_capacity(512 + signature.args.len().min(1024));
    let written = Written::of(signature, id, origin).map_err(not_json)?;
    serde_json::to_writer(&mut json, &written).map_err(not_json)?;
    if !signature.options.headers.is_empty() {
        json = with_own(&json, &signature.options.headers).map_err(not_json)?;
    }
    Ok(json.into())
}

/// `headers` and behind them those of `own` that are not there yet.
fn with_own(headers: &[u8], own: &[u8]) -> serde_json::Result<Vec<u8>> {
    let Entries(mut entries) = serde_json::from_slice(headers)?;
    let Entries(more) = serde_json::from_slice(own)?;
    for (name, value) in more {
        if entries.iter().all(|(known, _)| *known != name) {
            entries.push((name, value));
        }
    }
    let mut json = Vec::with_capacity(headers.len() + own.len());
    json_text::put_object(&mut json, &entries);
    Ok(json)
}

/// A body of protocol 2 after which nothing follows.
pub(crate) fn body(args: &[u8], kwargs: &[u8]) -> Bytes {
    let parts: [&[u8]; 7] = [b"[", args, b",", kwargs, b",", NO_FOLLOW_UPS, b"]"];
    parts.concat().into()
}

fn check_depth(signature: &Signature, limits: &Limits) -> Result<()> {
    let allowed = limits.max_depth.saturating_sub(1);
    let depth = nesting::depth(&signature.args).max(nesting::depth(&signature.kwargs));
    if depth <= allowed {
        return Ok(());
    }
    let message =
        format!("the arguments of {} are nested {depth} deep, at most {allowed} are read", signature.task);
    Err(Error::new(Code::NotSerializable, message))
}

fn check_size(task: &str, size: usize, limits: &Limits) -> Result<()> {
    let most = limits.max_bytes;
    if size <= most {
        return Ok(());
    }
    Err(Error::new(Code::TooLarge, format!("the message for {task} has {size} bytes, the limit is {most}"))
        .hint("store the data elsewhere and send its address, or raise limits.message_size here and at the workers"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use cardoon_core::{DEFAULT_MAX_MESSAGE_BYTES, SignatureOptions, Timestamp};

    fn signature(args: impl Into<Bytes>, kwargs: &'static str) -> Signature {
        let options = SignatureOptions::default();
        Signature { task: "add".into(), args: args.into(), kwargs: kwargs.into(), options }
    }

    fn code(signature: &Signature) -> Code {
        encode(signature, TaskId::new("t").unwrap(), "test").unwrap_err().code()
    }

    #[test]
    fn the_bytes_are_those_of_celery() {
        let mut call = signature("[2,3]", "{}");
        call.options.eta = Some(Timestamp(1_700_000_000_000));
        let message = encode(&call, TaskId::new("t-1").unwrap(), "gen1@host").unwrap();
        let body = r#"[[2,3],{},{"callbacks":null,"errbacks":null,"chain":null,"chord":null}]"#;
        assert_eq!(message.body, body);
        let headers = concat!(
            r#"{"lang":"rust","task":"add","id":"t-1","shadow":null,"eta":"2023-11-14T22:13:20+00:00","expires":null,"#,
            r#""group":null,"group_index":null,"retries":0,"timelimit":[null,null],"root_id":"t-1","parent_id":null,"#,
            r#""argsrepr":"(2, 3)","kwargsrepr":"{}","origin":"gen1@host","ignore_result":false,"#,
            r#""replaced_task_nesting":0,"stamped_headers":null,"stamps":{}}"#
        );
        assert_eq!(message.headers, headers);
    }

    #[test]
    fn own_headers_stand_beside_the_usual_ones_and_replace_none() {
        let mut call = signature("[]", "{}");
        call.options.headers = Bytes::from_static(br#"{"x-mine": {"a": 1}, "task": "other"}"#);
        let headers = encode(&call, TaskId::new("t").unwrap(), "test").unwrap().headers;
        let headers: serde_json::Value = serde_json::from_slice(&headers).unwrap();
        assert_eq!((&headers["x-mine"]["a"], &headers["task"]), (&1.into(), &"add".into()));
        call.options.headers = Bytes::from_static(b"[]");
        assert_eq!(code(&call), Code::NotSerializable);
    }

    #[test]
    fn what_no_worker_would_read_is_refused_at_the_sender() {
        assert_eq!(code(&signature("7", "{}")), Code::NotSerializable);
        assert_eq!(code(&signature("[]", "[]")), Code::NotSerializable);
        assert_eq!(code(&signature("[", "{}")), Code::NotSerializable);
        assert_eq!(code(&signature("[".repeat(128) + &"]".repeat(128), "{}")), Code::NotSerializable);
        let large = format!("[\"{}\"]", "x".repeat(DEFAULT_MAX_MESSAGE_BYTES));
        assert_eq!(code(&signature(large, "{}")), Code::TooLarge);
    }
    #[test]
    fn the_limits_of_the_sender_count_to_the_byte() {
        let call = signature("[\"x\"]", "{}");
        let id = || TaskId::new("t").unwrap();
        let size = encode(&call, id(), "test").unwrap().size();
        let within =
            |max_bytes| encode_within(&call, id(), "test", &Limits { max_bytes, ..Limits::default() });
        assert_eq!(within(size).unwrap().size(), size);
        let error = within(size - 1).unwrap_err();
        assert_eq!(error.code(), Code::TooLarge);
        assert!(error.message().contains(&format!("{size} bytes, the limit is {}", size - 1)), "{error}");
    }
}
