use cardoon_broker::{QueueStats, Waiting};
use cardoon_core::Timestamp;
use cardoon_protocol::{Limits, decode};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::raw_json;
use crate::times::rfc3339;

/// A queue in numbers.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Queue)]
pub struct QueueLine {
    pub queue: String,
    pub ready: u64,
    pub delayed: u64,
    pub held: u64,
    pub dead: u64,
    /// Live workers that take from it.
    pub workers: u64,
    /// How long the oldest ready message has been waiting.
    pub oldest_ms: Option<u64>,
    pub paused: bool,
}

/// A message that waits.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WaitingMessage)]
pub struct PeekLine {
    pub id: String,
    pub task: String,
    pub attempt: u32,
    pub priority: u8,
    #[schema(value_type = Option<Vec<Value>>)]
    pub args: Option<Box<RawValue>>,
    #[schema(value_type = Option<Object>)]
    pub kwargs: Option<Box<RawValue>>,
    pub enqueued_at: String,
    pub eta: Option<String>,
    #[serde(skip)]
    pub at: Timestamp,
}

impl QueueLine {
    pub fn of(stats: &QueueStats) -> Self {
        Self {
            queue: stats.queue.to_string(),
            ready: stats.ready,
            delayed: stats.delayed,
            held: stats.held,
            dead: stats.dead,
            workers: stats.workers,
            oldest_ms: stats.oldest.map(|age| age.as_millis() as u64),
            paused: stats.paused,
        }
    }
}

impl PeekLine {
    /// The arguments of a message that cannot be read are left out.
    pub fn of(waiting: Waiting, limits: &Limits) -> Self {
        let incoming = decode(&waiting.message, limits).ok();
        let arguments = incoming.as_ref().map(|incoming| &incoming.arguments);
        Self {
            args: arguments.and_then(|arguments| raw_json(arguments.args())),
            kwargs: arguments.and_then(|arguments| raw_json(arguments.kwargs())),
            eta: incoming.as_ref().and_then(|incoming| incoming.eta).map(rfc3339),
            id: waiting.message.id.to_string(),
            task: waiting.message.task,
            attempt: waiting.message.attempt,
            priority: waiting.message.priority.level(),
            enqueued_at: rfc3339(waiting.enqueued_at),
            at: waiting.enqueued_at,
        }
    }
}
