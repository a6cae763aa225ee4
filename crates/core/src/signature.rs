//! A task call that is not sent yet.

use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::{Priority, QueueName, TaskId, Timestamp};

/// A task's name, its arguments and how it is to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    pub task: String,
    /// Positional arguments: a JSON array.
    pub args: Bytes,
    /// Named arguments: a JSON object.
    pub kwargs: Bytes,
    pub options: SignatureOptions,
}

/// How a signature is sent. What is `None` is left to the task's own options, then to the defaults.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SignatureOptions {
    /// The id to send under; a new one by default.
    pub id: Option<TaskId>,
    pub queue: Option<QueueName>,
    pub priority: Option<Priority>,
    /// Not before this time.
    pub eta: Option<Timestamp>,
    /// Not before this long after sending; `eta` wins.
    pub countdown: Option<Duration>,
    /// Not after this time.
    pub expires: Option<Timestamp>,
    /// Soft limit of a run: the task is told.
    pub soft_time_limit: Option<Duration>,
    /// Hard limit of a run: the task is ended.
    pub time_limit: Option<Duration>,
    /// Whether the return value is dropped; the end of the task is recorded all the same.
    pub ignore_result: Option<bool>,
    pub root_id: Option<TaskId>,
    pub parent_id: Option<TaskId>,
    /// The sender's own headers, a JSON object; empty for none. They do not replace those that the message has anyway.
    #[serde(default)]
    pub headers: Bytes,
}
