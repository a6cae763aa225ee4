//! What travels through a broker.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::{TaskId, Timestamp};

/// The largest decoded message that is accepted, unless a setting says otherwise: 16 MiB.
pub const DEFAULT_MAX_MESSAGE_BYTES: usize = 16 * 1024 * 1024;

/// What a retry may add to a message: its headers say another attempt and another time.
const RETRY_BYTES: usize = 256;

/// A task message as a broker stores it. `headers` and `body` are opaque to brokers: `cardoon-protocol` writes
/// and reads them; the other fields repeat what a broker and its inspection need.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    pub id: TaskId,
    /// 0 for the first attempt; Celery's header `retries`.
    pub attempt: u32,
    /// The name of the task, as the sender wrote it. May be any text: it is checked when it is executed.
    pub task: String,
    pub priority: Priority,
    /// The message is not executed after this time.
    pub expires: Option<Timestamp>,
    pub content_type: Cow<'static, str>,
    pub content_encoding: Cow<'static, str>,
    /// The wire's headers, a JSON object.
    pub headers: Bytes,
    pub body: Bytes,
}

impl Message {
    /// Bytes that the sender controls, as stored.
    pub fn size(&self) -> usize {
        self.headers.len() + self.body.len() + self.task.len()
    }

    /// Whether it keeps a limit on what is sent. The limit is for what comes in: a later attempt of a message that kept it
    /// keeps it too, although its headers are larger.
    pub fn fits(&self, most: usize) -> bool {
        let added = if self.attempt > 0 { RETRY_BYTES } else { 0 };
        self.size() <= most.saturating_add(added)
    }
}

/// 0 to 9, 9 most urgent, on every broker; larger numbers count as 9. The default is 4.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "u8", into = "u8")]
pub struct Priority(u8);

impl Priority {
    pub const LOWEST: Self = Self(0);
    pub const HIGHEST: Self = Self(9);

    pub fn new(level: u8) -> Self {
        Self(level.min(9))
    }

    pub fn level(self) -> u8 {
        self.0
    }
}

impl Default for Priority {
    fn default() -> Self {
        Self(4)
    }
}

impl From<u8> for Priority {
    fn from(level: u8) -> Self {
        Self::new(level)
    }
}

impl From<Priority> for u8 {
    fn from(priority: Priority) -> Self {
        priority.0
    }
}

impl fmt::Debug for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}
