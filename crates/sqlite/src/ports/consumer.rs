use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use cardoon_broker::{ConsumeSpec, Consumer, Delivery, LeftToOthers, Order, Settle, Settled, SweepReport};
use cardoon_core::lease::LeaseTerms;
use cardoon_core::{BootInstant, Lease, QueueName, TaskId, Timestamp};
use cardoon_errors::{Code, Error, Result};
use cardoon_runtime::Clock;
use tokio::sync::{Mutex, watch};

use super::inbox::{ClaimOperation, Inbox, Next};
use super::slices;
use super::sweeper::Sweeper;
use crate::live::{Bell, Page, PageReader, Seen};
use crate::operations::claim::{Claimer, claim_delayed};
use crate::operations::{rescue, settle};
use crate::store::Handle;
use crate::tables::{Step, orders, queues, revoked, sessions};
use crate::writer::SLICE;

/// A call that waits for a due time looks at the wall clock this often, since it may be set.
const GLANCE: Duration = Duration::from_secs(1);

/// One worker's session.
pub(crate) struct SqliteConsumer {
    handle: Arc<Handle>,
    session: i64,
    page: Page,
    terms: LeaseTerms,
    /// The numbers of its queues.
    queues: Vec<i64>,
    /// Their names, in the same order.
    names: Vec<QueueName>,
    left: LeftToOthers,
    /// Counts claims, so that each begins with another queue.
    turn: AtomicUsize,
    next_sequence: AtomicU64,
    inbox: Arc<Inbox>,
    sweeper: Mutex<Sweeper>,
    /// The number of the last revoke that was told.
    told: Mutex<i64>,
    closed: watch::Sender<bool>,
}

impl SqliteConsumer {
    /// Joins the consumers.
    pub(crate) async fn join(handle: Arc<Handle>, spec: ConsumeSpec) -> Result<Self> {
        let database = &handle.database;
        database.listen(Bell::QUEUE.with(Bell::REVOKE))?;
        remove_orphans(&handle).await?;
        let page = Page::create(&database.live, database.clock.boot())?;
        let terms = spec.terms;
        let file = page.name().to_owned();
        let names = spec.queues.clone();
        let entered = database.writer.run(1, move |step: &mut Step<'_>| {
            let numbers = spec.queues.iter().map(|queue| queues::number(step, queue));
            let numbers = numbers.collect::<rusqlite::Result<Vec<i64>>>()?;
            Ok((sessions::insert(step, &spec, &file)?, numbers, revoked::newest(step.db)?))
        });
        let (session, queues, told) = entered.await.inspect_err(|_| page.remove())?;
        page.beat(database.clock.boot())?;
        let sweeper = Sweeper::new(session, terms, database.clock.boot());
        Ok(Self {
            session,
            page,
            terms,
            queues,
            names,
            left: LeftToOthers::default(),
            turn: AtomicUsize::new(0),
            next_sequence: AtomicU64::new(1),
            inbox: Arc::default(),
            sweeper: Mutex::new(sweeper),
            told: Mutex::new(told),
            closed: watch::Sender::new(false),
            handle,
        })
    }

    fn check(&self) -> Result<()> {
        if *self.closed.borrow() {
            return Err(Error::new(Code::StoreClosed, "the consumer was closed"));
        }
        self.handle.check()
    }

    /// The tasks that are left to others now, with the numbers of their queues.
    fn left_to_others(&self, now: BootInstant) -> Vec<(i64, String)> {
        let number =
            |(queue, task)| Some((self.queues[self.names.iter().position(|name| *name == queue)?], task));
        self.left.tasks(now).into_iter().filter_map(number).collect()
    }

    fn submit_claim(&self, max: usize, rings: u64) {
        let mut queues = self.queues.clone();
        if !queues.is_empty() {
            let first = self.turn.fetch_add(1, Ordering::Relaxed) % queues.len();
            queues.rotate_left(first);
        }
        let sequence = self.next_sequence.fetch_add(max as u64, Ordering::Relaxed);
        let clock = self.handle.database.clock.clone();
        let left = self.left_to_others(clock.boot());
        let asked_again = self.left.until_next(clock.boot()).map(|wait| clock.now().plus(wait));
        self.handle.database.writer.enqueue(Box::new(ClaimOperation {
            inbox: Arc::clone(&self.inbox),
            claimer: Claimer { session: self.session as u64, queues, left, max, sequence },
            clock,
            rings,
            taken: Vec::new(),
            next_due: None,
            asked_again,
            is_over: false,
            is_answered: false,
        }));
    }
}

#[async_trait]
impl Consumer for SqliteConsumer {
    fn session(&self) -> u64 {
        self.session as u64
    }

    async fn claim(&self, max: usize) -> Result<Vec<Delivery>> {
        let max = max.max(1);
        let clock = &self.handle.database.clock;
        let mut rings = self.handle.database.local.rings(Bell::QUEUE);
        let (mut closed, mut closing) = (self.closed.subscribe(), self.handle.closing());
        loop {
            let answered = self.inbox.answered.notified();
            tokio::pin!(answered);
            answered.as_mut().enable();
            self.check()?;
            let rung = *rings.borrow_and_update();
            let due = match self.inbox.next(max, rung, clock.now()) {
                Next::Deliveries(taken) => return Ok(taken),
                Next::Failed(error) => return Err(error),
                Next::Claim => {
                    self.submit_claim(max, rung);
                    None
                }
                Next::Wait { due } => due,
            };
            tokio::select! {
                () = answered => {}
                _ = rings.changed() => {}
                () = until(clock, due) => {}
                _ = closed.changed() => {}
                _ = closing.changed() => {}
            }
        }
    }

    async fn claim_delayed(&self, max: usize) -> Result<Vec<(Delivery, Timestamp)>> {
        self.check()?;
        let (session, max) = (self.session as u64, max.clamp(1, SLICE));
        let sequence = self.next_sequence.fetch_add(max as u64, Ordering::Relaxed);
        let claimer = Claimer { session, queues: self.queues.clone(), left: Vec::new(), max, sequence };
        let take = move |step: &mut Step<'_>| {
            let is_over = !sessions::contains(step, session)?;
            if is_over { Ok(None) } else { claim_delayed(step, &claimer).map(Some) }
        };
        let taken = self.handle.database.writer.run(SLICE, take).await?;
        taken.ok_or_else(super::inbox::over)
    }

    async fn settle(&self, batch: Vec<Settle>) -> Vec<Result<Settled>> {
        if let Err(error) = self.handle.check() {
            return slices::refused(batch.len(), &error);
        }
        let sequences: Vec<u64> = batch.iter().map(|settle| settle.lease.sequence).collect();
        let answers = slices::each(&self.handle.database.writer, batch, settle::settle).await;
        let stored = sequences.into_iter().zip(&answers).filter(|(_, answer)| answer.is_ok());
        self.page.mark_settled(stored.map(|(sequence, _)| sequence));
        answers
    }

    fn leave_to_others(&self, queue: &QueueName, task: &str) {
        self.left.leave(queue, task, self.handle.database.clock.boot());
    }

    fn mark_started(&self, lease: Lease) {
        self.page.mark_started(lease.sequence);
    }

    fn mark_ended(&self, lease: Lease) {
        self.page.mark_ended(lease.sequence);
    }

    fn heartbeat(&self) -> Result<BootInstant> {
        self.check()?;
        let now = self.handle.database.clock.boot();
        self.page.beat(now)?;
        Ok(now.plus(self.terms.lease))
    }

    async fn sweep(&self) -> Result<SweepReport> {
        self.check()?;
        self.sweeper.lock().await.sweep(&self.handle.database, self.page.last_beat()).await
    }

    async fn revoked(&self) -> Result<Vec<TaskId>> {
        let mut rings = self.handle.database.local.rings(Bell::REVOKE);
        let (mut closed, mut closing) = (self.closed.subscribe(), self.handle.closing());
        loop {
            rings.mark_unchanged();
            if *closed.borrow() || *closing.borrow() {
                return Ok(Vec::new());
            }
            let mut told = self.told.lock().await;
            let (session, after) = (self.session, *told);
            let found =
                self.handle.database.readers.run(move |db| revoked::of_session(db, session, after)).await?;
            if let Some((last, _)) = found.last() {
                *told = *last;
                return Ok(found.into_iter().map(|(_, id)| id).collect());
            }
            drop(told);
            tokio::select! {
                _ = rings.changed() => {}
                _ = closed.changed() => {}
                _ = closing.changed() => {}
            }
        }
    }

    async fn ordered(&self) -> Result<Option<Order>> {
        let mut rings = self.handle.database.local.rings(Bell::REVOKE);
        let (mut closed, mut closing) = (self.closed.subscribe(), self.handle.closing());
        let (session, database) = (self.session, &self.handle.database);
        loop {
            rings.mark_unchanged();
            if *closed.borrow() || *closing.borrow() {
                return Ok(None);
            }
            // Most rings are not for this worker, and a look is cheaper than a change.
            if database.readers.run(move |db| orders::is_there(db, session)).await?
                && let Some(order) = database.writer.run(1, move |step| orders::take(step, session)).await?
            {
                return Ok(Some(order));
            }
            tokio::select! {
                _ = rings.changed() => {}
                _ = closed.changed() => {}
                _ = closing.changed() => {}
            }
        }
    }

    async fn close(&self) -> Result<()> {
        if self.closed.send_replace(true) {
            return Ok(());
        }
        let (session, begun) = (self.session, Arc::new(self.page.begun_leases()));
        let writer = &self.handle.database.writer;
        loop {
            let begun = Arc::clone(&begun);
            let slice = writer.run(SLICE, move |step| {
                let more = rescue::hand_back(step, session, &begun, SLICE)?;
                // In one step with the last slice: a session without a row must not hold anything.
                if !more {
                    sessions::delete(step, session)?;
                }
                Ok(more)
            });
            if !slice.await? {
                break;
            }
        }
        self.page.remove();
        Ok(())
    }
}

/// Waits until the wall clock shows `due`; for ever if there is none.
async fn until(clock: &Clock, due: Option<Timestamp>) {
    let Some(due) = due else { return std::future::pending().await };
    loop {
        let left = due.since(clock.now());
        if left.is_zero() {
            return;
        }
        clock.sleep(left.min(GLANCE)).await;
    }
}

/// Removes the files of processes that died before they entered their session, or that are of an earlier boot.
async fn remove_orphans(handle: &Arc<Handle>) -> Result<()> {
    let database = &handle.database;
    let Ok(files) = database.live.names(crate::live::WORKER) else { return Ok(()) };
    let known = database.readers.run(sessions::list).await?;
    for file in files.iter().filter(|file| !known.iter().any(|session| session.file == **file)) {
        // Whoever is about to enter a session holds the lock.
        if let Ok(Some(page)) = PageReader::open(&database.live, file)
            && matches!(page.look(), Ok(Seen::Dead))
        {
            database.live.remove(file);
        }
    }
    Ok(())
}
