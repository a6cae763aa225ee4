use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use cardoon_broker::{
    Broker, Capabilities, ConsumeSpec, Consumer, Control, DeadLetters, EventStream, Handback, Inspect,
    Publish, Published, Revoked,
};
use cardoon_core::{Event, TaskId};
use cardoon_errors::Result;

use super::events;
use crate::consumer::RedisConsumer;
use crate::keys;
use crate::operations::{publish, revoke};
use crate::store::RedisStore;

#[async_trait]
impl Broker for RedisStore {
    fn capabilities(&self) -> &Capabilities {
        &self.shared.capabilities
    }

    async fn publish(&self, batch: Vec<Publish>) -> Vec<Result<Published>> {
        if let Err(error) = self.shared.check() {
            return batch.iter().map(|_| Err(error.clone())).collect();
        }
        let (shared, count) = (Arc::clone(&self.shared), batch.len());
        let published = self.shared.wire.at_home(async move { publish::publish(&shared, batch).await }).await;
        published.unwrap_or_else(|error| vec![Err(error); count])
    }

    async fn consume(&self, spec: ConsumeSpec) -> Result<Arc<dyn Consumer>> {
        self.shared.check()?;
        spec.queues.iter().try_for_each(keys::check)?;
        Ok(Arc::new(RedisConsumer::join(&self.shared, spec).await?))
    }

    async fn revoke(&self, ids: Vec<TaskId>) -> Vec<Result<Revoked>> {
        if let Err(error) = self.shared.check() {
            return ids.iter().map(|_| Err(error.clone())).collect();
        }
        revoke::revoke(&self.shared, &ids).await
    }

    fn emit(&self, batch: Vec<Event>) {
        events::emit(&self.shared, &batch);
    }

    fn has_listeners(&self) -> bool {
        events::has_listeners(&self.shared)
    }

    async fn listen(&self) -> Result<Box<dyn EventStream>> {
        self.shared.check()?;
        Ok(Box::new(events::Listener::open(&self.shared).await?))
    }

    fn inspect(&self) -> &dyn Inspect {
        self
    }

    fn dead_letters(&self) -> &dyn DeadLetters {
        self
    }

    fn control(&self) -> &dyn Control {
        self
    }

    fn handback(&self) -> Option<&dyn Handback> {
        Some(self)
    }

    async fn close(&self, limit: Duration) -> Result<()> {
        self.shut(limit).await
    }
}
