//! From lists to messages and back.

use bytes::Bytes;
use cardoon_core::{Message, QueueName};
use cardoon_protocol::kombu::{self, Route};

use crate::envelope::{Marks, marked, parts};

/// A message as it lay in a list.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) marks: Marks,
    /// The envelope as its sender wrote it.
    pub(crate) original: Bytes,
    pub(crate) message: Message,
}

impl Stored {
    pub(crate) fn read(raw: &Bytes) -> Self {
        let (marks, original) = parts(raw);
        let mut message = kombu::read(&original);
        message.attempt = marks.attempt.unwrap_or(message.attempt);
        Self { marks, original, message }
    }

    /// The envelope with other marks.
    pub(crate) fn with(&self, marks: Marks) -> Bytes {
        marked(&self.original, marks)
    }
}

/// The envelope of a message that is sent to `queue`.
pub(crate) fn write(queue: &QueueName, message: &Message, reply_to: &str, resent: bool) -> Bytes {
    let tag = cardoon_runtime::ids::task_id();
    let route = Route { exchange: "", routing_key: queue.as_str(), delivery_tag: tag.as_str(), reply_to };
    let original = kombu::write(message, &route);
    // What is sent again is rare, so it may be looked at: one that was sent again after its end counts as attempt 0, and
    // its headers do not say so.
    let differs = resent && kombu::read(&original).attempt != message.attempt;
    let attempt = differs.then_some(message.attempt);
    marked(&original, Marks { resent, attempt, ..Marks::default() })
}

/// The list that a message of this priority goes to.
pub(crate) fn list(queue: &QueueName, message: &Message) -> String {
    kombu::list_key(queue, kombu::level(message.priority))
}
