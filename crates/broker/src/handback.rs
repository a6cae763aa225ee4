use async_trait::async_trait;
use cardoon_core::QueueName;
use cardoon_errors::Result;
use serde::Serialize;

use crate::Member;

/// Leaving queues to workers of another system: what only Cardoon understands returns to where those take it from.
#[async_trait]
pub trait Handback: Send + Sync {
    /// Returns what dead workers held and what is delayed to the queues, each message as its sender wrote it. To do it
    /// again is to do what is left: it may be broken off at any time.
    ///
    /// Nothing is returned while a worker of ours is alive: it would take back what is returned.
    async fn hand_back(&self, wish: HandbackWish) -> Result<HandbackReport>;
}

/// What is to be handed back. The default is all but the dead letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HandbackWish {
    /// The dead letters too; their tasks count as not ended then.
    pub dead: bool,
    /// Only count, whoever is alive.
    pub dry_run: bool,
}

/// What was handed back.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HandbackReport {
    /// The queues that had something, by name.
    pub queues: Vec<HandedBack>,
    /// The workers that are alive. While there are any, nothing is handed back.
    pub alive: Vec<Member>,
}

/// What was handed back to one queue, in messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HandedBack {
    pub queue: QueueName,
    pub delayed: u64,
    /// Were held by workers that are dead.
    pub held: u64,
    pub dead: u64,
    /// Were held and may not be executed again, so that their tasks were recorded as failed instead.
    pub ended: u64,
}

impl HandedBack {
    /// Nothing of `queue`.
    pub fn none(queue: QueueName) -> Self {
        Self { queue, delayed: 0, held: 0, dead: 0, ended: 0 }
    }
}
