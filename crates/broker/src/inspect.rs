use std::time::Duration;

use async_trait::async_trait;
use cardoon_core::{Message, Page, Position, QueueName, TaskFilter, TaskId, TaskState, Timestamp};
use cardoon_errors::Result;
use serde::Serialize;

/// Looking at queues without taking from them.
#[async_trait]
pub trait Inspect: Send + Sync {
    /// All queues that hold something, have a consumer or are paused, by name.
    async fn queues(&self) -> Result<Vec<QueueStats>>;

    /// The first `limit` messages that wait in `queue`, in the order in which they would be taken; then the delayed.
    async fn peek(&self, queue: &QueueName, limit: usize) -> Result<Vec<Waiting>>;

    /// Where the message of this id is, if the broker holds one.
    async fn locate(&self, id: &TaskId) -> Result<Option<(Waiting, Place)>>;

    /// Tasks that wait or are held, oldest first, at most `limit`; those after the position `after` of the same list. A
    /// store that has no index lists the first ten thousand of each queue and priority only.
    async fn waiting(
        &self,
        filter: &TaskFilter,
        after: Option<&Position>,
        limit: usize,
    ) -> Result<Page<(Waiting, Place)>>;

    /// Removes what waits in `queue`, delayed included; what workers hold stays. Answers how many.
    async fn purge(&self, queue: &QueueName) -> Result<u64>;

    /// The consumers that are alive.
    async fn members(&self) -> Result<Vec<Member>>;

    /// Whether workers of another system may take from the queues too. Nobody can say which tasks they know.
    async fn may_have_strangers(&self) -> Result<bool>;
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
    /// Nothing is taken from it; see [`Control::pause`](crate::Control::pause).
    pub paused: bool,
}

impl QueueStats {
    /// A queue that has nothing.
    pub fn none(queue: QueueName) -> Self {
        Self { queue, ready: 0, delayed: 0, held: 0, dead: 0, workers: 0, oldest: None, paused: false }
    }
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

impl Place {
    /// The state of a task whose message is here.
    pub fn state(&self, message: &Message) -> TaskState {
        match self {
            Self::Delayed { .. } if message.attempt > 0 => TaskState::Retry,
            Self::Ready | Self::Delayed { .. } => TaskState::Pending,
            Self::Held { started: true, .. } => TaskState::Started,
            Self::Held { started: false, .. } => TaskState::Received,
        }
    }
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
    /// How long ago its last heartbeat was.
    pub heartbeat_age: Duration,
    /// The version of Cardoon that it runs; empty if it is one from before versions were told.
    pub version: String,
}
