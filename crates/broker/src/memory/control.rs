use async_trait::async_trait;
use cardoon_core::QueueName;
use cardoon_errors::Result;

use super::MemoryBroker;
use crate::{Control, Order};

#[async_trait]
impl Control for MemoryBroker {
    async fn pause(&self, queue: &QueueName) -> Result<bool> {
        Ok(self.store()?.paused.insert(queue.clone()))
    }

    async fn resume(&self, queue: &QueueName) -> Result<bool> {
        let was_paused = self.store()?.paused.remove(queue);
        self.wake();
        Ok(was_paused)
    }

    async fn order(&self, session: u64, order: Order) -> Result<bool> {
        let mut store = self.store()?;
        let session = store.sessions.get_mut(&session).filter(|session| !session.dead);
        let is_there = session.map(|session| session.order = Some(order)).is_some();
        drop(store);
        self.wake();
        Ok(is_there)
    }
}
