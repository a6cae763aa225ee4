use std::time::Duration;

use async_trait::async_trait;
use cardoon_core::{Message, QueueName, TaskId, Timestamp};
use cardoon_errors::Result;
use serde::Serialize;

/// Looking at queues without taking from them.
#[async_trait]
pub trait Inspect: Send + Sync {
    /// All queues that hold something or have a consumer, by name.
    async fn queues(&self) -> Result<Vec<QueueStats>>;

    /// The first `limit` messages that wait in `queue`, in the order in which they would be taken; then the delayed.
    async fn peek(&self, queue: &QueueName, limit: usize) -> Result<Vec<Waiting>>;

    /// Where the message of this id is, if the broker holds one.
    async fn locate(&self, id: &TaskId) -> Result<Option<(Waiting, Place)>>;

    /// Tasks that wait or are held, oldest first, at most `limit`; of all queues if `queue` is `None`.
    async fn waiting(&self, queue: Option<&QueueName>, limit: usize) -> Result<Vec<(Waiting, Place)>>;

    /// Removes what waits in `queue`, delayed included; what workers hold stays. Answers how many.
    async fn purge(&self, queue: &QueueName) -> Result<u64>;

    /// The consumers that are alive.
    async fn members(&self) -> Result<Vec<Member>>;

    /// Whether workers of another system may take from the queues too. Nobody can say which tasks they know.
    async fn may_have_strangers(&self) -> Result<bool> {
        Ok(false)
    }
}

/// A queue in numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct QueueStats {
    pub queue: QueueName,
    pub ready: u64,
    pub delayed: u64,
    pub held: u64,
    pub dead: u64,
    /// Live workers that take from it.
    pub workers: u64,
    /// How long the oldest ready message has been waiting.
    pub oldest: Option<Duration>,
}

/// A message that the broker holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Waiting {
    pub queue: QueueName,
    pub message: Message,
    pub enqueued_at: Timestamp,
    pub deaths: u32,
    pub redelivered: bool,
}

/// Where a message is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "place", rename_all = "kebab-case")]
pub enum Place {
    Ready,
    Delayed { until: Timestamp },
    Held { worker: String, started: bool },
}

/// A live consumer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Member {
    pub worker: String,
    pub session: u64,
    pub queues: Vec<QueueName>,
    pub tasks: Vec<String>,
    pub slots: u32,
    pub held: u64,
    pub since: Timestamp,
    pub pid: u32,
}
