use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use cardoon_core::{Event, Message, QueueName, TaskId, Timestamp};
use cardoon_errors::Result;

use crate::{Capabilities, ConsumeSpec, Consumer, Control, DeadLetters, Handback, Inspect};

/// A store of durable queues.
///
/// Batches are answered per item, in order. An error says whether it was applied; a publish whose answer is
/// "unknown" is sent again with [`Publish::resent`] set.
#[async_trait]
pub trait Broker: Send + Sync + 'static {
    fn capabilities(&self) -> &Capabilities;

    /// Stores messages. Answers when they are as durable as [`Capabilities::durability`] says.
    async fn publish(&self, batch: Vec<Publish>) -> Vec<Result<Published>>;

    /// Joins the consumers. The consumer's heartbeat has begun when this returns.
    async fn consume(&self, spec: ConsumeSpec) -> Result<Arc<dyn Consumer>>;

    /// Revokes tasks durably: waiting ones are not executed any more, the holders of the others are told.
    ///
    /// A broker whose settle is atomic removes the waiting ones and records them as revoked. Another one makes them
    /// ready and hands them to a consumer with [`Delivery::revoked`](crate::Delivery::revoked) set.
    async fn revoke(&self, ids: Vec<TaskId>) -> Vec<Result<Revoked>>;

    /// Publishes events, best effort: returns at once and may drop.
    fn emit(&self, events: Vec<Event>);

    /// Whether somebody listens to events now. Cheap; asked before events are built.
    fn has_listeners(&self) -> bool;

    /// Listens to events from now on.
    async fn listen(&self) -> Result<Box<dyn EventStream>>;

    fn inspect(&self) -> &dyn Inspect;

    fn dead_letters(&self) -> &dyn DeadLetters;

    fn control(&self) -> &dyn Control;

    /// How to leave the queues to workers of another system; `None` if nobody else takes from them.
    fn handback(&self) -> Option<&dyn Handback>;

    /// Finishes what is under way, at most `limit`, and closes. Every later call answers `StoreClosed`.
    async fn close(&self, limit: Duration) -> Result<()>;
}

/// One message to store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publish {
    pub queue: QueueName,
    pub message: Message,
    /// Waits in the delayed store until then.
    pub not_before: Option<Timestamp>,
    /// An earlier try may have stored it already, so its run must register.
    pub resent: bool,
}

/// The answer to a stored message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Published {
    Stored,
    /// The queue held this id and attempt already, or the store knows that it was executed: nothing was added.
    Duplicate,
}

/// What a revoke found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revoked {
    /// It was waiting, now or delayed, and will not be executed.
    Waiting,
    /// A worker holds it and is told; a running task ends when it cooperates.
    Held,
    /// No message has this id now. One that comes while the revoke is remembered will not be executed.
    Remembered,
}

/// A stream of events in the order of their writing.
#[async_trait]
pub trait EventStream: Send {
    /// Waits for the next events. An empty answer means that the broker was closed.
    async fn next(&mut self) -> Result<Vec<Event>>;
}
