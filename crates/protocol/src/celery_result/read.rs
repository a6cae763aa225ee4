use std::borrow::Cow;

use bytes::Bytes;
use cardoon_core::{
    DEFAULT_MAX_MESSAGE_BYTES, QueueName, ResultRecord, RunNumber, TaskFailure, TaskId, TaskState, Timestamp,
};
use cardoon_errors::{Code, Error, Result};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::Ours;
use super::exception;
use crate::json_text::{Text, number, problem, string};
use crate::{compression, python_repr, wire_time};

const PACKED: &[u8] = b"\0celery-compressed\0";

/// The record of a document, whoever wrote it. `None` if the task has not come to an end in it: it is started, or in a
/// state that the program made up.
///
/// What Celery does not write takes its default: the first run, no start, an empty task and worker and the queue
/// `celery` without `result_extended`, and 1970 for the end of an attempt that is followed by another one.
///
/// # Errors
///
/// `CD2007` if the bytes are no such document.
pub fn read(json: &[u8]) -> Result<Option<ResultRecord>> {
    let json = unpacked(json)?;
    let document: Document<'_> =
        serde_json::from_slice(&json).map_err(|error| bad("it is no JSON object", problem(&json, &error)))?;
    let state =
        TaskState::parse(&document.status.0).filter(|state| state.is_final() || *state == TaskState::Retry);
    state.map(|state| document.record(state)).transpose()
}

/// What `result_compression` has packed carries a mark and the name of the method.
pub(super) fn unpacked(stored: &[u8]) -> Result<Cow<'_, [u8]>> {
    let Some(packed) = stored.strip_prefix(PACKED) else { return Ok(Cow::Borrowed(stored)) };
    let end = packed.iter().position(|byte| *byte == 0).unwrap_or(packed.len());
    let (method, body) = packed.split_at(end);
    let method = String::from_utf8_lossy(method);
    let body = compression::unpack(&method, body.get(1..).unwrap_or_default(), DEFAULT_MAX_MESSAGE_BYTES);
    let body = body.map_err(|error| bad("it cannot be unpacked", error.to_string()))?;
    Ok(Cow::Owned(body.into()))
}

#[derive(Deserialize)]
struct Document<'a> {
    #[serde(borrow)]
    status: Text<'a>,
    #[serde(borrow)]
    task_id: Text<'a>,
    #[serde(borrow)]
    result: Option<&'a RawValue>,
    #[serde(borrow)]
    traceback: Option<&'a RawValue>,
    #[serde(borrow)]
    date_done: Option<&'a RawValue>,
    #[serde(borrow)]
    name: Option<&'a RawValue>,
    #[serde(borrow)]
    worker: Option<&'a RawValue>,
    #[serde(borrow)]
    retries: Option<&'a RawValue>,
    #[serde(borrow)]
    queue: Option<&'a RawValue>,
    cardoon: Option<Ours>,
}

impl Document<'_> {
    fn record(&self, state: TaskState) -> Result<ResultRecord> {
        let ours = self.cardoon.as_ref();
        let nothing = ours.is_some_and(|ours| ours.nothing);
        let retries = self.retries.and_then(number).and_then(|retries| retries.try_into().ok());
        Ok(ResultRecord {
            id: TaskId::new(&self.task_id.0)
                .map_err(|error| bad("`task_id` is no task id", error.to_string()))?,
            task: text(self.name).into_owned(),
            queue: QueueName::new(text(self.queue)).unwrap_or_default(),
            state,
            run: ours.map_or(RunNumber::FIRST, |ours| RunNumber(ours.run)),
            attempt: ours.map(|ours| ours.attempt).or(retries).unwrap_or(0),
            value: (state == TaskState::Success && !nothing).then(|| self.value()),
            failure: (state != TaskState::Success && !nothing).then(|| self.failure()),
            worker: text(self.worker).into(),
            started_at: ours.and_then(|ours| ours.started_at).map(Timestamp),
            finished_at: ours.map_or_else(|| self.date_done(), |ours| Timestamp(ours.finished_at)),
        })
    }

    fn value(&self) -> Bytes {
        self.result
            .map_or(Bytes::from_static(b"null"), |value| Bytes::copy_from_slice(value.get().as_bytes()))
    }

    fn date_done(&self) -> Timestamp {
        wire_time::read(&text(self.date_done)).unwrap_or_default()
    }

    fn failure(&self) -> TaskFailure {
        let Told { kind, message, arguments } = self.result.map(exception_of).unwrap_or_default();
        let ours = self.cardoon.as_ref();
        let kind = ours.and_then(|ours| ours.kind.clone()).unwrap_or(kind);
        let message = ours.and_then(|ours| ours.message.clone()).unwrap_or(message);
        TaskFailure { kind, message, details: text(self.traceback).into_owned(), arguments }
    }
}

#[derive(Deserialize)]
struct Exception<'a> {
    #[serde(borrow, rename = "exc_type")]
    name: Option<Text<'a>>,
    #[serde(borrow, rename = "exc_module")]
    module: Option<&'a RawValue>,
    #[serde(borrow, rename = "exc_message")]
    arguments: Option<&'a RawValue>,
}

/// What a failed result tells.
#[derive(Default)]
struct Told {
    kind: String,
    message: String,
    arguments: Option<Box<str>>,
}

/// What an exception tells. A result that is none is shown as it is.
fn exception_of(result: &RawValue) -> Told {
    let exception: Option<Exception<'_>> = serde_json::from_str(result.get()).ok();
    match exception {
        Some(Exception { name: Some(Text(name)), arguments, module }) => {
            let module = module.and_then(string);
            Told {
                kind: exception::kind(&name, module.as_deref()),
                message: arguments.map(message).unwrap_or_default(),
                arguments: arguments.and_then(more_than_a_message),
            }
        }
        _ => Told { message: shown(result), ..Told::default() },
    }
}

/// The arguments of an exception, unless they are one text, which is its message.
fn more_than_a_message(arguments: &RawValue) -> Option<Box<str>> {
    let list: Vec<&RawValue> = serde_json::from_str(arguments.get()).ok()?;
    let is_message = matches!(list[..], [one] if string(one).is_some());
    (!is_message).then(|| arguments.get().into())
}

/// The arguments of an exception as `str(exception)` shows them.
fn message(arguments: &RawValue) -> String {
    let list: Option<Vec<&RawValue>> = serde_json::from_str(arguments.get()).ok();
    match list.as_deref() {
        Some([]) => String::new(),
        Some([one]) => shown(one),
        Some(_) => python_repr::tuple(arguments.get().as_bytes()).unwrap_or_default(),
        None => shown(arguments),
    }
}

fn shown(value: &RawValue) -> String {
    match string(value) {
        Some(text) => text.into_owned(),
        None => python_repr::value(value.get().as_bytes()).unwrap_or_default(),
    }
}

fn text(value: Option<&RawValue>) -> Cow<'_, str> {
    value.and_then(string).unwrap_or_default()
}

fn bad(what: &str, problem: String) -> Error {
    Error::new(Code::BadResult, format!("a stored result cannot be read: {what}")).checked(problem)
}
