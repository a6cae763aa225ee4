use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use cardoon_core::rescue::UserCode;
use cardoon_core::{BootInstant, Lease, QueueName, TaskId, Timestamp};
use cardoon_errors::{Code, Error, Result};

use super::MemoryBroker;
use super::store::{Session, Store};
use crate::{Consumer, Delivery, LeftToOthers, Order, Settle, Settled, SweepReport};

/// A waiting claim looks at the wall clock at least this often, because a step of it can make a message due.
const LONGEST_NAP: Duration = Duration::from_secs(1);

pub(super) struct MemoryConsumer {
    pub(super) broker: Arc<MemoryBroker>,
    pub(super) session: u64,
    pub(super) left: LeftToOthers,
}

impl MemoryConsumer {
    /// What `look` finds in this consumer's session, as soon as it finds something.
    async fn when<T>(&self, mut look: impl FnMut(&mut Store) -> Option<T> + Send) -> Result<T> {
        let mut changed = self.broker.changed();
        loop {
            self.broker.faults().answering().await;
            let due = {
                let mut store = self.broker.store()?;
                store.promote(self.broker.now());
                if !self.alive(&store)?.paused
                    && let Some(found) = look(&mut store)
                {
                    return Ok(found);
                }
                store.next_due()
            };
            let due = due.map(|due| due.since(self.broker.now()));
            let asked_again = self.left.until_next(self.broker.clock().boot());
            tokio::select! {
                _ = changed.changed() => {}
                () = self.nap(due.into_iter().chain(asked_again).min()) => {}
            }
        }
    }

    async fn nap(&self, wait: Option<Duration>) {
        match wait {
            Some(wait) => self.broker.clock().sleep(wait.min(LONGEST_NAP)).await,
            None => std::future::pending().await,
        }
    }

    fn alive<'s>(&self, store: &'s Store) -> Result<&'s Session> {
        store.sessions.get(&self.session).filter(|session| !session.dead).ok_or_else(left)
    }

    async fn not_paused(&self) -> Result<()> {
        self.when(|_| Some(())).await
    }
}

#[async_trait]
impl Consumer for MemoryConsumer {
    fn session(&self) -> u64 {
        self.session
    }

    async fn claim(&self, max: usize) -> Result<Vec<Delivery>> {
        let take = |store: &mut Store| {
            let left = self.left.tasks(self.broker.clock().boot());
            Some(store.claim(self.session, max, &left)).filter(|taken| !taken.is_empty())
        };
        self.when(take).await
    }

    async fn claim_delayed(&self, max: usize) -> Result<Vec<(Delivery, Timestamp)>> {
        self.not_paused().await?;
        Ok(self.broker.store()?.claim_delayed(self.session, max))
    }

    async fn settle(&self, batch: Vec<Settle>) -> Vec<Result<Settled>> {
        if let Err(error) = self.not_paused().await {
            return batch.iter().map(|_| Err(error.clone())).collect();
        }
        let now = self.broker.now();
        self.broker.change(batch, |store, settle| store.settle(settle, now)).await
    }

    fn leave_to_others(&self, queue: &QueueName, task: &str) {
        self.left.leave(queue, task, self.broker.clock().boot());
    }

    fn mark_started(&self, lease: Lease) {
        if let Ok(mut store) = self.broker.store() {
            store.mark(lease, UserCode::Running);
        }
    }

    fn mark_ended(&self, lease: Lease) {
        if let Ok(mut store) = self.broker.store() {
            store.mark(lease, UserCode::Ended);
        }
    }

    fn heartbeat(&self) -> Result<BootInstant> {
        let mut store = self.broker.store()?;
        let stalled = self.broker.faults().is_stalled();
        let session =
            store.sessions.get_mut(&self.session).filter(|session| !session.dead).ok_or_else(left)?;
        if !session.paused && !stalled {
            session.beat = self.broker.clock().boot();
        }
        Ok(session.beat.plus(session.terms().lease))
    }

    async fn sweep(&self) -> Result<SweepReport> {
        self.not_paused().await?;
        let report = self.broker.store()?.sweep(self.session, self.broker.clock().boot());
        self.broker.wake();
        Ok(report)
    }

    async fn revoked(&self) -> Result<Vec<TaskId>> {
        let told = self.when(|store| {
            let session = store.sessions.get_mut(&self.session)?;
            Some(std::mem::take(&mut session.to_tell)).filter(|ids| !ids.is_empty())
        });
        match told.await {
            Err(error) if error.code() == Code::StoreClosed => Ok(Vec::new()),
            told => told,
        }
    }

    async fn ordered(&self) -> Result<Option<Order>> {
        match self.when(|store| store.sessions.get_mut(&self.session)?.order.take()).await {
            Err(error) if error.code() == Code::StoreClosed => Ok(None),
            order => order.map(Some),
        }
    }

    async fn close(&self) -> Result<()> {
        self.broker.faults().answering().await;
        self.broker.store()?.leave_session(self.session, self.broker.now());
        self.broker.wake();
        Ok(())
    }
}

fn left() -> Error {
    Error::new(Code::StoreClosed, "this consumer was closed")
}
