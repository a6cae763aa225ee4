use std::sync::Arc;

use async_trait::async_trait;
use cardoon_broker::{ConsumeSpec, Consumer, Delivery, Order, Settle, Settled, SweepReport};
use cardoon_core::settle::{ReleaseCause, Verdict};
use cardoon_core::{BootInstant, Lease, QueueName, TaskId, Timestamp};
use cardoon_errors::Result;
use cardoon_runtime::ServiceKind;
use tokio::sync::Mutex;

use super::Session;
use super::claiming::Claiming;
use super::early_claiming;
use super::heart::{self, Heart};
use super::settling;
use super::sweeping::Sweeper;
use crate::failure;
use crate::operations::change::Change;
use crate::operations::known;
use crate::operations::runs::TRIES;
use crate::operations::sessions;
use crate::operations::settle::judged;
use crate::store::Shared;

/// One worker's side of the broker. When it is dropped without a goodbye, its connections end, as with its process.
pub(crate) struct RedisConsumer {
    session: Arc<Session>,
    claiming: Mutex<Claiming>,
    sweeper: Mutex<Sweeper>,
    heart: Heart,
    /// The order that was told last.
    told: Mutex<Option<Order>>,
}

impl RedisConsumer {
    pub(crate) async fn join(shared: &Arc<Shared>, spec: ConsumeSpec) -> Result<Self> {
        let session = Session::join(shared, spec).await?;
        let now = shared.wire.clock.boot();
        Ok(Self {
            session,
            claiming: Mutex::default(),
            sweeper: Mutex::new(Sweeper::new(now)),
            heart: Heart::default(),
            told: Mutex::default(),
        })
    }

    /// Hands back what is held.
    async fn hand_back(&self) -> Result<()> {
        let (session, shared) = (&self.session, &self.session.shared);
        let number = session.number();
        // Claims under way must not take anything any more.
        if sessions::recover(shared, number).await?.is_none() {
            return Ok(());
        }
        for _ in 0..TRIES {
            let hold = sessions::hold(&shared.main, number, &session.spec.queues).await?;
            let known = known::look(&shared.main, hold.holdings.iter().map(|holding| &holding.id)).await?;
            let release = |(holding, known): (&_, &_)| release(session, holding, known);
            let changes: Vec<Change> = hold.holdings.iter().zip(&known).rev().map(release).collect();
            for applied in shared.apply(&shared.main, &changes).await {
                applied?;
            }
            if sessions::leave(shared, number, &session.spec.queues).await?.is_some() {
                return Ok(());
            }
        }
        Ok(())
    }
}

fn release(session: &Session, holding: &crate::operations::settle::Holding, known: &known::Known) -> Change {
    let has_begun = session.blame.has_begun(holding.lease.sequence);
    let cause = if has_begun { ReleaseCause::Interrupted } else { ReleaseCause::Unstarted };
    let settle = Settle::bare(holding.lease, Verdict::Release { cause });
    judged(holding, &settle, known, false, session.shared.bench()).change
}

#[async_trait]
impl Consumer for RedisConsumer {
    fn session(&self) -> u64 {
        self.session.number()
    }

    async fn claim(&self, max: usize) -> Result<Vec<Delivery>> {
        let mut claiming = tokio::select! {
            claiming = self.claiming.lock() => claiming,
            () = self.session.ended.cancelled() => return Err(failure::closed()),
        };
        claiming.claim(&self.session, max.max(1)).await
    }

    async fn claim_delayed(&self, max: usize) -> Result<Vec<(Delivery, Timestamp)>> {
        self.session.check()?;
        early_claiming::claim(&self.session, max).await
    }

    async fn settle(&self, batch: Vec<Settle>) -> Vec<Result<Settled>> {
        if let Err(error) = self.session.shared.check() {
            return batch.iter().map(|_| Err(error.clone())).collect();
        }
        let (session, count) = (Arc::clone(&self.session), batch.len());
        let wire = &self.session.shared.wire;
        let settled = wire.at_home(async move { settling::settle(&session, batch).await }).await;
        settled.unwrap_or_else(|error| vec![Err(error); count])
    }

    fn leave_to_others(&self, queue: &QueueName, task: &str) {
        self.session.left.leave(queue, task, self.session.shared.wire.clock.boot());
    }

    fn mark_started(&self, lease: Lease) {
        if lease.session == self.session.number() {
            self.session.blame.started(lease.sequence, self.session.shared.wire.clock.boot());
        }
    }

    fn mark_ended(&self, lease: Lease) {
        if lease.session == self.session.number() {
            self.session.blame.ended(lease.sequence);
        }
    }

    fn heartbeat(&self) -> Result<BootInstant> {
        self.session.check()?;
        if let Some(until) = self.heart.beat(&self.session)? {
            return Ok(until);
        }
        let (session, number) = (Arc::clone(&self.session), self.session.number());
        self.session
            .shared
            .wire
            .spawn(ServiceKind::StoreListener, async move { session.rejoin(number).await });
        Err(heart::over())
    }

    async fn sweep(&self) -> Result<SweepReport> {
        self.session.check()?;
        self.sweeper.lock().await.sweep(&self.session).await
    }

    async fn revoked(&self) -> Result<Vec<TaskId>> {
        Ok(self.session.next_revokes().await)
    }

    async fn ordered(&self) -> Result<Option<Order>> {
        let mut told = self.told.lock().await;
        *told = self.session.next_order(*told).await;
        Ok(*told)
    }

    async fn close(&self) -> Result<()> {
        if self.session.ended.is_cancelled() {
            return Ok(());
        }
        self.session.ended.cancel();
        self.hand_back().await
    }
}

impl Drop for RedisConsumer {
    fn drop(&mut self) {
        self.session.ended.cancel();
    }
}
