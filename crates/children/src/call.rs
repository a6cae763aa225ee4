//! A call of a task and its end. `Text` and `Json` are what the holder keeps texts and documents in: bytes of its own, or
//! parts of the frame in which they came.

use serde::{Deserialize, Serialize};

use crate::frame::Tag;

/// One call of a task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Call<Text, Json> {
    pub tag: Tag,
    /// Which task, by its place in the greeting.
    pub task: u32,
    pub run: u64,
    pub attempt: u32,
    /// When its delivery was asked for, on the boot-time clock in milliseconds; see [`crate::frame::Gate`].
    pub since: u64,
    /// Say at once when it begins.
    pub report: bool,
    pub redelivered: bool,
    pub priority: u8,
    /// In milliseconds; 0 for none.
    pub soft_time_limit: u64,
    pub time_limit: u64,
    pub id: Text,
    pub root_id: Option<Text>,
    pub parent_id: Option<Text>,
    pub queue: Text,
    /// The message's own headers, a JSON object.
    pub headers: Json,
    /// The positional arguments, a JSON array.
    pub args: Json,
    /// The named arguments, a JSON object.
    pub kwargs: Json,
}

/// How a call ended, in its child's words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum How<Text, Json> {
    /// With a value.
    Returned(Json),
    Failed(Failure<Text>),
    /// It asked for another attempt after so many milliseconds, perhaps with other arguments.
    Retry {
        after: u64,
        failure: Failure<Text>,
        arguments: Option<(Json, Json)>,
    },
    /// It asked that nothing be recorded.
    Ignored,
    /// It refused its message.
    Rejected {
        requeue: bool,
        why: Text,
    },
    /// The gate was closed: user code has not begun.
    NotStarted,
    /// It was cancelled, and no user code runs any more.
    Cancelled,
}

/// A failure as its language tells it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Failure<Text> {
    /// The class with its module.
    pub kind: Text,
    pub message: Text,
    /// The traceback.
    pub details: Text,
    /// What the exception was made of, a JSON array, where that is not just the message.
    pub arguments: Option<Text>,
    /// The arguments did not fit the task.
    pub bad_arguments: bool,
}

impl<Text, Json> Call<Text, Json> {
    /// The same call, held otherwise.
    pub fn map<'c, T, J>(&'c self, text: impl Fn(&'c Text) -> T, json: impl Fn(&'c Json) -> J) -> Call<T, J> {
        Call {
            tag: self.tag,
            task: self.task,
            run: self.run,
            attempt: self.attempt,
            since: self.since,
            report: self.report,
            redelivered: self.redelivered,
            priority: self.priority,
            soft_time_limit: self.soft_time_limit,
            time_limit: self.time_limit,
            id: text(&self.id),
            root_id: self.root_id.as_ref().map(&text),
            parent_id: self.parent_id.as_ref().map(&text),
            queue: text(&self.queue),
            headers: json(&self.headers),
            args: json(&self.args),
            kwargs: json(&self.kwargs),
        }
    }
}

impl<Text, Json> How<Text, Json> {
    /// The same end, held otherwise.
    pub fn map<'h, T, J>(&'h self, text: impl Fn(&'h Text) -> T, json: impl Fn(&'h Json) -> J) -> How<T, J> {
        match self {
            Self::Returned(value) => How::Returned(json(value)),
            Self::Failed(failure) => How::Failed(failure.map(text)),
            Self::Retry { after, failure, arguments } => How::Retry {
                after: *after,
                failure: failure.map(text),
                arguments: arguments.as_ref().map(|(args, kwargs)| (json(args), json(kwargs))),
            },
            Self::Ignored => How::Ignored,
            Self::Rejected { requeue, why } => How::Rejected { requeue: *requeue, why: text(why) },
            Self::NotStarted => How::NotStarted,
            Self::Cancelled => How::Cancelled,
        }
    }
}

impl<Text> Failure<Text> {
    fn map<'f, T>(&'f self, text: impl Fn(&'f Text) -> T) -> Failure<T> {
        Failure {
            kind: text(&self.kind),
            message: text(&self.message),
            details: text(&self.details),
            arguments: self.arguments.as_ref().map(&text),
            bad_arguments: self.bad_arguments,
        }
    }
}
