use async_trait::async_trait;
use cardoon_core::QueueName;
use cardoon_errors::Result;
use serde::{Deserialize, Serialize};

/// Steering queues and workers while they run.
#[async_trait]
pub trait Control: Send + Sync {
    /// Pauses a queue: from now on no claim takes from it, of whichever worker, until it is [resumed](Self::resume). What
    /// workers hold already they may still execute; what is sent to it waits. Workers of another system that take from
    /// the same queue are not stopped. Answers whether it was not paused before.
    async fn pause(&self, queue: &QueueName) -> Result<bool>;

    /// Ends a pause. Answers whether there was one.
    async fn resume(&self, queue: &QueueName) -> Result<bool>;

    /// Gives an order to the worker of this session. It is told at once where the store can do that, at the latest with its
    /// next heartbeat; a later order goes before one that it was not told yet. Answers whether there is such a worker.
    async fn order(&self, session: u64, order: Order) -> Result<bool>;
}

/// What a worker is told to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// Take nothing more, finish what runs within the grace time, and end.
    Drain,
    /// Hand everything back at once, and end.
    Stop,
}

impl Order {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Drain => "drain",
            Self::Stop => "stop",
        }
    }

    /// The order of this name, if there is one.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Drain, Self::Stop].into_iter().find(|order| order.as_str() == text)
    }
}
