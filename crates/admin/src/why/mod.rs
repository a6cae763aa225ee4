//! Why a task has not run: what is known is gathered here, judged in `judge`, and said in `sentence`.

mod judge;
mod sentence;

use cardoon_broker::{Member, Place};
use cardoon_connect::Stores;
use cardoon_core::{QueueName, TaskId, Timestamp};
use cardoon_errors::Result;

pub use self::judge::{Facts, Reason, judge};
pub use self::sentence::sentence;
use crate::Whereabouts;

/// A position in a queue is counted up to this many messages.
const COUNTED: usize = 10_000;

impl Facts {
    pub async fn gather(stores: &Stores, id: &TaskId, now: Timestamp) -> Result<Self> {
        let found = Whereabouts::of(stores, id).await?;
        let queue = found.message.as_ref().map(|(waiting, _)| waiting.queue.clone());
        let is_ready = matches!(found.message, Some((_, Place::Ready)));
        let Some(queue) = queue else {
            return Ok(Self { found, workers: Vec::new(), ahead: None, is_paused: false, now });
        };
        Ok(Self {
            found,
            workers: workers_of(stores, &queue).await?,
            ahead: ahead(stores, &queue, id, is_ready).await?,
            is_paused: is_paused(stores, &queue).await?,
            now,
        })
    }
}

async fn workers_of(stores: &Stores, queue: &QueueName) -> Result<Vec<Member>> {
    let mut members = stores.broker.inspect().members().await?;
    members.retain(|member| member.queues.contains(queue));
    Ok(members)
}

async fn is_paused(stores: &Stores, queue: &QueueName) -> Result<bool> {
    let queues = stores.broker.inspect().queues().await?;
    Ok(queues.iter().any(|stats| stats.paused && stats.queue == *queue))
}

/// How many messages are taken before this one; `None` if it is not among those that are counted.
async fn ahead(stores: &Stores, queue: &QueueName, id: &TaskId, is_ready: bool) -> Result<Option<u64>> {
    if !is_ready {
        return Ok(None);
    }
    let first = stores.broker.inspect().peek(queue, COUNTED).await?;
    Ok(first.iter().position(|waiting| waiting.message.id == *id).map(|position| position as u64))
}
