//! What the parts of a consumer share.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cardoon_broker::{ConsumeSpec, LeftToOthers, Order};
use cardoon_core::{Lease, TaskId};
use cardoon_errors::Result;
use cardoon_runtime::ServiceKind;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use super::blame::{self, Blame};
use super::watcher::{self, Watcher};
use crate::failure;
use crate::keys;
use crate::operations::sessions;
use crate::operations::settle::Holding;
use crate::store::Shared;

/// How long joining waits for the connection that is the sign of life. Without it the lease alone tells of a death.
const SIGN_LIMIT: Duration = Duration::from_secs(3);

const WARN_EVERY: Duration = Duration::from_secs(10);

/// One membership among the consumers. When others took it for dead, it joins again under a new number.
pub(crate) struct Session {
    pub(crate) shared: Arc<Shared>,
    pub(crate) spec: ConsumeSpec,
    pub(crate) lists: Vec<Arc<str>>,
    pub(crate) number: AtomicU64,
    /// Counts how often claims under way were made void.
    pub(crate) epoch: AtomicU64,
    pub(crate) next_sequence: AtomicU64,
    /// The queue that the next claim begins with.
    pub(crate) turn: AtomicU64,
    /// A claim has been sent whose answer is missing, so something may be held that nobody here knows.
    pub(crate) is_unsure: AtomicBool,
    pub(crate) blame: Blame,
    pub(crate) watcher: Watcher,
    /// Changes when there may be something to take.
    bell: watch::Sender<u64>,
    holding: Mutex<HashMap<u64, Arc<Holding>>>,
    /// Tasks that are held and were revoked, and whose holder was not told yet.
    to_tell: Mutex<Vec<TaskId>>,
    told: Notify,
    pub(crate) left: LeftToOthers,
    /// The order that this worker was given last.
    order: watch::Sender<Option<Order>>,
    joining: tokio::sync::Mutex<()>,
    /// When it was last said that a key is no list, in milliseconds of the boot-time clock.
    warned_at: AtomicU64,
    /// Nothing more is claimed.
    pub(crate) ended: CancellationToken,
}

impl Session {
    /// Joins the consumers.
    pub(crate) async fn join(shared: &Arc<Shared>, spec: ConsumeSpec) -> Result<Arc<Self>> {
        shared.introduce(&spec.queues).await;
        let number = sessions::draw(shared).await?;
        let session = Arc::new(Self {
            lists: keys::lists(&spec.queues).into_iter().map(Arc::from).collect(),
            spec,
            number: AtomicU64::new(number),
            epoch: AtomicU64::new(1),
            next_sequence: AtomicU64::new(1),
            turn: AtomicU64::new(0),
            is_unsure: AtomicBool::new(false),
            blame: Blame::default(),
            watcher: Watcher::default(),
            bell: watch::Sender::new(0),
            holding: Mutex::default(),
            to_tell: Mutex::default(),
            told: Notify::new(),
            left: LeftToOthers::default(),
            order: watch::Sender::new(None),
            joining: tokio::sync::Mutex::default(),
            warned_at: AtomicU64::new(0),
            ended: CancellationToken::new(),
            shared: Arc::clone(shared),
        });
        shared.wire.spawn(ServiceKind::StoreListener, watcher::watch(Arc::clone(&session)));
        if let Err(error) = session.enter(number).await {
            session.ended.cancel();
            return Err(error);
        }
        shared.wire.spawn(ServiceKind::StoreWriter, blame::record(Arc::clone(&session)));
        shared.add_session(&session);
        Ok(session)
    }

    async fn enter(&self, number: u64) -> Result<()> {
        let signed = self.watcher.is_signed(number, &self.shared.wire.clock, SIGN_LIMIT).await;
        if !signed {
            tracing::warn!(
                worker = self.spec.worker,
                "no sign of life can be given: if this worker dies, its tasks wait until its lease lapses"
            );
        }
        sessions::enter(&self.shared, number, &self.spec, signed).await
    }

    /// Joins again after the session `lost` was found to be over. Its leases are lost.
    pub(crate) async fn rejoin(&self, lost: u64) -> Result<()> {
        let _one = self.joining.lock().await;
        if self.number() != lost {
            return Ok(());
        }
        tracing::warn!(worker = self.spec.worker, "others took this worker for dead; it joins again");
        let number = sessions::draw(&self.shared).await?;
        self.watcher.renew(number);
        self.enter(number).await?;
        self.holdings().retain(|_, holding| holding.lease.session == number);
        self.epoch.store(1, Ordering::Release);
        self.number.store(number, Ordering::Release);
        self.ring();
        Ok(())
    }

    pub(crate) fn number(&self) -> u64 {
        self.number.load(Ordering::Acquire)
    }

    pub(crate) fn check(&self) -> Result<()> {
        if self.ended.is_cancelled() { Err(failure::closed()) } else { self.shared.check() }
    }

    /// Says, from time to time, that the key of a queue is no list.
    pub(crate) fn warn_of(&self, list: Option<&Arc<str>>) {
        let Some(list) = list else { return };
        let now = self.shared.wire.clock.boot().0;
        if now.saturating_sub(self.warned_at.load(Ordering::Relaxed)) >= WARN_EVERY.as_millis() as u64 {
            self.warned_at.store(now, Ordering::Relaxed);
            let error = failure::no_list(list, &self.shared.wire.location);
            tracing::warn!(%error, key = &**list, "nothing is taken from this queue");
        }
    }

    pub(crate) fn ring(&self) {
        self.bell.send_modify(|rings| *rings += 1);
    }

    pub(crate) fn rings(&self) -> watch::Receiver<u64> {
        self.bell.subscribe()
    }

    pub(crate) fn holdings(&self) -> MutexGuard<'_, HashMap<u64, Arc<Holding>>> {
        self.holding.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The delivery of each lease, if it is held as far as this process knows.
    pub(crate) fn held(&self, leases: impl Iterator<Item = Lease>) -> Vec<Option<Arc<Holding>>> {
        let holdings = self.holdings();
        leases
            .map(|lease| holdings.get(&lease.sequence).filter(|holding| holding.lease == lease).cloned())
            .collect()
    }

    /// The lease of the delivery of this task.
    pub(crate) fn lease_of(&self, id: &TaskId) -> Option<Lease> {
        self.holdings().values().find(|holding| holding.id == *id).map(|holding| holding.lease)
    }

    /// These deliveries are not held any more.
    pub(crate) fn let_go(&self, leases: impl Iterator<Item = Lease>) {
        let mut holdings = self.holdings();
        let is_known = |lease: &Lease| {
            let known = holdings.get(&lease.sequence).is_some_and(|holding| holding.lease == *lease);
            known && holdings.remove(&lease.sequence).is_some()
        };
        let gone: Vec<u64> = leases.filter(is_known).map(|lease| lease.sequence).collect();
        drop(holdings);
        self.blame.forget(&gone);
    }

    /// These tasks were revoked.
    pub(crate) fn hear_of_revokes(&self, ids: impl IntoIterator<Item = TaskId>) {
        let mut ids: Vec<TaskId> = ids.into_iter().collect();
        {
            let holdings = self.holdings();
            ids.retain(|id| holdings.values().any(|holding| holding.id == *id));
        }
        if !ids.is_empty() {
            self.to_tell.lock().unwrap_or_else(PoisonError::into_inner).extend(ids);
            self.told.notify_one();
        }
    }

    /// A heartbeat was answered with this order. It is told once, however often the server repeats it.
    pub(crate) fn hear_of_order(&self, order: Option<Order>) {
        self.order.send_if_modified(|given| order.is_some() && std::mem::replace(given, order) != order);
    }

    /// Waits for an order that is another one than `told`; `None` when the consumer has ended.
    pub(crate) async fn next_order(&self, told: Option<Order>) -> Option<Order> {
        let mut orders = self.order.subscribe();
        tokio::select! {
            order = orders.wait_for(|order| order.is_some() && *order != told) => order.map_or(None, |order| *order),
            () = self.ended.cancelled() => None,
            () = self.shared.closing().cancelled() => None,
        }
    }

    /// Waits for revoked tasks; empty when the consumer has ended.
    pub(crate) async fn next_revokes(&self) -> Vec<TaskId> {
        loop {
            let told = std::mem::take(&mut *self.to_tell.lock().unwrap_or_else(PoisonError::into_inner));
            if !told.is_empty() || self.ended.is_cancelled() {
                return told;
            }
            tokio::select! {
                () = self.told.notified() => {}
                () = self.ended.cancelled() => {}
            }
        }
    }
}
