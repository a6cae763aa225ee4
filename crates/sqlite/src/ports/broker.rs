use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use cardoon_broker::{
    Broker, Capabilities, ConsumeSpec, Consumer, Control, DeadLetters, EventStream, Handback, Inspect,
    Publish, Published, Revoked,
};
use cardoon_core::{Event, TaskId};
use cardoon_errors::{Code, Error, Result};

use super::consumer::SqliteConsumer;
use super::emission::Emission;
use super::events::SqliteEvents;
use super::slices;
use crate::live::Bell;
use crate::operations::publish::publish;
use crate::operations::revoke::revoke;
use crate::store::{MAX_MESSAGE_BYTES, SqliteStore};

/// Batches of events that may wait to be written; more are dropped.
const EMITS_UNDER_WAY: usize = 1024;

#[async_trait]
impl Broker for SqliteStore {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    async fn publish(&self, batch: Vec<Publish>) -> Vec<Result<Published>> {
        if let Err(error) = self.handle.check() {
            return slices::refused(batch.len(), &error);
        }
        let refusals: Vec<Option<Error>> = batch.iter().map(refusal).collect();
        let fitting = batch.into_iter().zip(&refusals).filter(|(_, refusal)| refusal.is_none());
        let fitting = fitting.map(|(publish, _)| publish).collect();
        let mut answers = slices::each(&self.handle.database.writer, fitting, publish).await.into_iter();
        let missing = || Err(Error::new(Code::Internal, "a message was not answered"));
        let answer =
            |refusal: Option<Error>| refusal.map_or_else(|| answers.next().unwrap_or_else(missing), Err);
        refusals.into_iter().map(answer).collect()
    }

    async fn consume(&self, spec: ConsumeSpec) -> Result<Arc<dyn Consumer>> {
        self.handle.check()?;
        Ok(Arc::new(SqliteConsumer::join(Arc::clone(&self.handle), spec).await?))
    }

    async fn revoke(&self, ids: Vec<TaskId>) -> Vec<Result<Revoked>> {
        if let Err(error) = self.handle.check() {
            return slices::refused(ids.len(), &error);
        }
        slices::each(&self.handle.database.writer, ids, revoke).await
    }

    fn emit(&self, batch: Vec<Event>) {
        if batch.is_empty() || self.handle.check().is_err() || self.handle.pending_emits() >= EMITS_UNDER_WAY
        {
            return;
        }
        match Emission::new(&batch, &self.handle.emitted) {
            Ok(emission) => self.handle.database.writer.enqueue(Box::new(emission)),
            Err(error) => tracing::debug!(%error, "events cannot be written as JSON"),
        }
    }

    fn has_listeners(&self) -> bool {
        self.handle.database.bells.somebody_waits_for(Bell::EVENT)
    }

    async fn listen(&self) -> Result<Box<dyn EventStream>> {
        self.handle.check()?;
        Ok(Box::new(SqliteEvents::open(Arc::clone(&self.handle)).await?))
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
        None
    }

    async fn close(&self, limit: Duration) -> Result<()> {
        Self::close(self, limit).await
    }
}

/// Why a message cannot be stored.
fn refusal(publish: &Publish) -> Option<Error> {
    let size = publish.message.size();
    (size > MAX_MESSAGE_BYTES).then(|| {
        Error::new(Code::TooLarge, format!("message {} has {size} bytes", publish.message.id))
            .checked(format!("the database takes {MAX_MESSAGE_BYTES} bytes"))
            .hint("store the data elsewhere, and send where it is")
    })
}
