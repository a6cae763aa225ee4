use std::time::Duration;

use bytes::Bytes;
use cardoon_admin::input;
use cardoon_admin::listing::Cursor;
use cardoon_admin::retry::Edit;
use cardoon_broker::DeadFilter;
use cardoon_core::{
    DeadReason, Priority, QueueName, Signature, SignatureOptions, TaskFilter, TaskId, TaskState, Timestamp,
};
use cardoon_errors::{Code, Error, Result};
use serde::Deserialize;
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use super::headers::own_headers;
use super::words::{bad_request, duration, timestamp};
use crate::events::{EventFilter, Place};

/// A task to send.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SendRequest {
    /// The name of the task.
    #[schema(min_length = 1, example = "cardoon.add")]
    task: String,
    /// Positional arguments.
    #[schema(value_type = Option<Vec<Value>>)]
    args: Option<Box<RawValue>>,
    /// Named arguments.
    #[schema(value_type = Option<Object>)]
    kwargs: Option<Box<RawValue>>,
    /// The queue; `celery` by default.
    #[schema(min_length = 1, max_length = 255, pattern = r"^[^\x00-\x1f\x7f-\x9f]+$")]
    queue: Option<String>,
    /// 0 to 9, 9 most urgent; 4 by default.
    #[schema(minimum = 0, maximum = 9)]
    priority: Option<u8>,
    /// Not before this long after sending, such as `30s`.
    #[schema(pattern = r"^([0-9]+(\.[0-9]+)?(ms|s|min|m|h|d))+$")]
    countdown: Option<String>,
    /// Not before this time; wins over `countdown`.
    #[schema(format = DateTime)]
    eta: Option<String>,
    /// Not later than this long after sending.
    #[schema(pattern = r"^([0-9]+(\.[0-9]+)?(ms|s|min|m|h|d))+$")]
    expires_in: Option<String>,
    /// Not after this time; wins over `expires_in`.
    #[schema(format = DateTime)]
    expires: Option<String>,
    /// The id to send under: the same id is not executed twice, whatever the contents. A new one by default.
    #[schema(min_length = 1, max_length = 255, pattern = r"^[^\x00-\x1f\x7f-\x9f]+$")]
    id: Option<String>,
    /// Drop what the task returns.
    ignore_result: Option<bool>,
    /// A run that takes longer is told.
    #[schema(pattern = r"^([0-9]+(\.[0-9]+)?(ms|s|min|m|h|d))+$")]
    soft_time_limit: Option<String>,
    /// A run that takes longer is ended.
    #[schema(pattern = r"^([0-9]+(\.[0-9]+)?(ms|s|min|m|h|d))+$")]
    time_limit: Option<String>,
    /// Headers of the message, for those who read them; without the names that every message has, such as `id` and `eta`.
    #[schema(value_type = Option<Object>)]
    headers: Option<Box<RawValue>>,
    /// Refuse it with `CD3005` if no live worker of the queue knows the task.
    #[serde(default)]
    pub(crate) require_worker: bool,
}

/// Tasks to send.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BatchRequest {
    #[schema(min_items = 1, max_items = 1000)]
    pub(crate) tasks: Vec<SendRequest>,
}

/// What is to be otherwise when a failed task is sent again. Without any of it the task is sent again as it was, under its id;
/// with some of it a new task is sent, and the dead letter of the old one is removed. The new one has the headers, the trace and
/// the limits of the old one, and does not expire.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EditRequest {
    #[schema(value_type = Option<Vec<Value>>)]
    args: Option<Box<RawValue>>,
    #[schema(value_type = Option<Object>)]
    kwargs: Option<Box<RawValue>>,
    #[schema(min_length = 1, max_length = 255, pattern = r"^[^\x00-\x1f\x7f-\x9f]+$")]
    queue: Option<String>,
    #[schema(minimum = 0, maximum = 9)]
    priority: Option<u8>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RevokeRequest {
    #[schema(min_items = 1, max_items = 1000)]
    ids: Vec<String>,
}

/// Which dead letters. All of them only if `all` says so.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LetterChoice {
    #[schema(min_items = 1, max_items = 1000)]
    ids: Option<Vec<String>>,
    #[schema(min_length = 1, max_length = 255, pattern = r"^[^\x00-\x1f\x7f-\x9f]+$")]
    queue: Option<String>,
    /// Such as `retries-exhausted`.
    reason: Option<String>,
    #[serde(default)]
    all: bool,
    /// Only count.
    #[serde(default)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DryRun {
    /// Only count.
    #[serde(default)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// `PENDING`, `RECEIVED`, `STARTED`, `RETRY`, `SUCCESS`, `FAILURE` or `REVOKED`.
    state: Option<String>,
    task: Option<String>,
    queue: Option<String>,
    /// Ended, or sent, at this time or later.
    #[param(format = DateTime)]
    since: Option<String>,
    /// Ended, or sent, before this time.
    #[param(format = DateTime)]
    until: Option<String>,
    /// Stands in the id, the name, the worker's name or the failure.
    text: Option<String>,
    /// The `next` of the page before.
    after: Option<String>,
    /// At most so many.
    #[param(minimum = 1, maximum = 1000)]
    pub(crate) limit: Option<u32>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct WaitQuery {
    /// Answer when the task has ended, at the latest after this time; `60s` at most.
    #[param(example = "30s")]
    wait: Option<String>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct DeadQuery {
    queue: Option<String>,
    reason: Option<String>,
    #[param(minimum = 1, maximum = 1000)]
    pub(crate) limit: Option<u32>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct LimitQuery {
    #[param(minimum = 1, maximum = 1000)]
    pub(crate) limit: Option<u32>,
}

/// A path that takes no parameters.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoQuery {}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct EventQuery {
    /// Only those of this task.
    id: Option<String>,
    /// Only those of tasks of this name.
    task: Option<String>,
    queue: Option<String>,
    /// Only this kind, such as `task-failed`.
    kind: Option<String>,
    /// The id of an event: go on after it. The header `Last-Event-ID` says the same.
    after: Option<String>,
}

impl SendRequest {
    /// The call, under `id` unless it says one itself.
    pub(crate) fn signature(self, id: impl FnOnce() -> TaskId, now: Timestamp) -> Result<Signature> {
        if self.task.is_empty() {
            return Err(bad_request("`task` is empty"));
        }
        let span = |name, text: &Option<String>| text.as_deref().map(|text| duration(name, text)).transpose();
        let point =
            |name, text: &Option<String>| text.as_deref().map(|text| timestamp(name, text)).transpose();
        let expires_in = span("expires_in", &self.expires_in)?;
        Ok(Signature {
            args: array("args", self.args)?.unwrap_or_else(|| Bytes::from_static(b"[]")),
            kwargs: object("kwargs", self.kwargs)?.unwrap_or_else(|| Bytes::from_static(b"{}")),
            options: SignatureOptions {
                id: Some(self.id.as_deref().map_or_else(|| Ok(id()), input::task_id)?),
                queue: self.queue.as_deref().map(input::queue_name).transpose()?,
                priority: priority(self.priority)?,
                countdown: span("countdown", &self.countdown)?,
                eta: point("eta", &self.eta)?,
                expires: point("expires", &self.expires)?
                    .or(expires_in.map(|expires_in| now.plus(expires_in))),
                soft_time_limit: span("soft_time_limit", &self.soft_time_limit)?,
                time_limit: span("time_limit", &self.time_limit)?,
                ignore_result: self.ignore_result,
                headers: own_headers(object("headers", self.headers)?)?,
                ..SignatureOptions::default()
            },
            task: self.task,
        })
    }
}

impl EditRequest {
    /// `None` if nothing is to be otherwise.
    pub(crate) fn edit(self) -> Result<Option<Edit>> {
        let edit = Edit {
            args: array("args", self.args)?,
            kwargs: object("kwargs", self.kwargs)?,
            queue: self.queue.as_deref().map(input::queue_name).transpose()?,
            priority: priority(self.priority)?,
        };
        let is_bare =
            edit.args.is_none() && edit.kwargs.is_none() && edit.queue.is_none() && edit.priority.is_none();
        Ok(Some(edit).filter(|_| !is_bare))
    }
}

impl RevokeRequest {
    pub(crate) fn ids(&self) -> Result<Vec<TaskId>> {
        bounded(self.ids.len(), "ids")?;
        self.ids.iter().map(|id| input::task_id(id)).collect()
    }
}

impl BatchRequest {
    pub(crate) fn check(&self) -> Result<()> {
        bounded(self.tasks.len(), "tasks")
    }
}

impl LetterChoice {
    pub(crate) fn filter(&self) -> Result<DeadFilter> {
        if self.ids.is_none() && self.queue.is_none() && self.reason.is_none() && !self.all {
            return Err(Error::new(Code::NeedsYes, "this would be about all dead letters")
                .hint("say which: `ids`, `queue` or `reason`; or say `\"all\": true`"));
        }
        let ids = self.ids.as_deref().unwrap_or_default();
        // To the stores no ids are all letters; who lists the ids of none means none.
        if self.ids.is_some() {
            bounded(ids.len(), "ids")?;
        }
        Ok(DeadFilter {
            ids: ids.iter().map(|id| input::task_id(id)).collect::<Result<_>>()?,
            queue: self.queue.as_deref().map(input::queue_name).transpose()?,
            reason: reason(self.reason.as_deref())?,
        })
    }
}

impl DeadQuery {
    pub(crate) fn filter(&self) -> Result<DeadFilter> {
        let queue = self.queue.as_deref().map(input::queue_name).transpose()?;
        Ok(DeadFilter { queue, reason: reason(self.reason.as_deref())?, ids: Vec::new() })
    }
}

impl ListQuery {
    pub(crate) fn filter(&self) -> Result<TaskFilter> {
        let point =
            |name, text: &Option<String>| text.as_deref().map(|text| timestamp(name, text)).transpose();
        Ok(TaskFilter {
            state: self.state.as_deref().map(state).transpose()?,
            task: self.task.clone(),
            queue: self.queue.as_deref().map(input::queue_name).transpose()?,
            since: point("since", &self.since)?,
            until: point("until", &self.until)?,
            text: self.text.clone(),
        })
    }

    pub(crate) fn cursor(&self) -> Result<Cursor> {
        let cursor = |text: &str| {
            text.parse().map_err(|expected| bad_request("`after` is no place").checked(expected))
        };
        self.after.as_deref().map_or_else(|| Ok(Cursor::default()), cursor)
    }
}

impl WaitQuery {
    /// The longest time that a request waits.
    const MOST: Duration = Duration::from_mins(1);

    pub(crate) fn wait(&self) -> Result<Option<Duration>> {
        let wait = self.wait.as_deref().map(|text| duration("wait", text)).transpose()?;
        match wait {
            Some(wait) if wait > Self::MOST => {
                Err(bad_request("`wait` is longer than a minute: ask again then"))
            }
            wait => Ok(wait),
        }
    }
}

impl EventQuery {
    pub(crate) fn filter(&self) -> Result<EventFilter> {
        Ok(EventFilter {
            id: self.id.as_deref().map(input::task_id).transpose()?,
            task: self.task.clone(),
            queue: self.queue.as_deref().map(input::queue_name).transpose()?,
            kind: self.kind.clone(),
        })
    }

    /// Where to go on; `header` is what the browser says when it connects again, so it goes first.
    pub(crate) fn place(&self, header: Option<&str>) -> Result<Option<Place>> {
        let place = |text: &str| {
            text.parse().map_err(|expected| bad_request("there is no such place").checked(expected))
        };
        header.filter(|text| !text.is_empty()).or(self.after.as_deref()).map(place).transpose()
    }
}

fn bounded(items: usize, name: &str) -> Result<()> {
    match items {
        1..=1000 => Ok(()),
        _ => Err(bad_request(format!("`{name}` has {items} items; it has 1 to 1000"))),
    }
}

fn priority(level: Option<u8>) -> Result<Option<Priority>> {
    match level {
        Some(10..) => Err(bad_request("`priority` is 0 to 9")),
        level => Ok(level.map(Priority::new)),
    }
}

fn array(name: &str, json: Option<Box<RawValue>>) -> Result<Option<Bytes>> {
    shaped(name, json, '[', "a list")
}

fn object(name: &str, json: Option<Box<RawValue>>) -> Result<Option<Bytes>> {
    shaped(name, json, '{', "an object")
}

/// It is JSON, so its first character tells what it is.
fn shaped(name: &str, json: Option<Box<RawValue>>, first: char, what: &str) -> Result<Option<Bytes>> {
    match json {
        Some(json) if !json.get().starts_with(first) => Err(bad_request(format!("`{name}` is not {what}"))),
        json => Ok(json.map(|json| Bytes::from(Box::<str>::from(json).into_string()))),
    }
}

fn state(text: &str) -> Result<TaskState> {
    TaskState::parse(&text.to_ascii_uppercase()).ok_or_else(|| {
        bad_request("`state` is no state")
            .checked("the states: PENDING, RECEIVED, STARTED, RETRY, SUCCESS, FAILURE, REVOKED")
    })
}

fn reason(text: Option<&str>) -> Result<Option<DeadReason>> {
    let parse = |text| {
        DeadReason::parse(text).ok_or_else(|| {
            let names: Vec<_> = DeadReason::ALL.iter().map(|reason| reason.as_str()).collect();
            bad_request("`reason` is no reason").checked(format!("the reasons: {}", names.join(", ")))
        })
    };
    text.map(parse).transpose()
}

/// The queue that a signature goes to.
pub(crate) fn queue_of(signature: &Signature) -> QueueName {
    signature.options.queue.clone().unwrap_or_default()
}
