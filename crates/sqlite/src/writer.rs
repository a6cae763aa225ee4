//! The one thread of a process that changes the file: it runs what is queued in one transaction and answers when
//! that is committed (group commit).

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use cardoon_errors::{Applied, Code, Error, Result};
use cardoon_runtime::Clock;
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::failure;
use crate::guard::Identity;
use crate::layout::is_busy;
use crate::live::Bells;
use crate::options::SqliteOptions;
use crate::tables::{Step, StepState};
use crate::turn::Turn;
use crate::upkeep::Upkeep;

/// One transaction takes operations up to this weight in items, so that its commit is not far away.
const GROUP_WEIGHT: usize = 1024;

/// While other processes write too, each commit of theirs voids this one's page cache, so small groups are dear: after
/// a group of at least [`BUSY_WEIGHT`] the next one waits for more work up to [`GOOD_WEIGHT`], as long as no gap is longer
/// than [`LULL`], and for at most [`MOST_GAPS`] of them.
const BUSY_WEIGHT: usize = 64;
const GOOD_WEIGHT: usize = 256;
const LULL: Duration = Duration::from_micros(200);
const MOST_GAPS: usize = 8;

/// Operations that nobody waits for ride with others; on their own they are written after this time.
const UNHURRIED: Duration = Duration::from_millis(20);

/// A batch of more items than this is split into several operations, so that others get in between.
pub(crate) const SLICE: usize = 256;

/// So much of one caller's split batch is queued at a time.
pub(crate) const SLICES_UNDER_WAY: usize = 4;

/// The queue in front of the writer. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Writer {
    queue: Sender<Order>,
    gone: Arc<OnceLock<Error>>,
    ended: tokio::sync::watch::Receiver<bool>,
    location: Arc<PathBuf>,
}

enum Order {
    Run(Box<dyn Operation>),
    Stop,
}

/// A step that changes the file. It may be run again if the transaction around it had to be rolled back.
pub(crate) trait Operation: Send {
    /// How many items it changes.
    fn weight(&self) -> usize;

    /// Whether somebody waits for its answer.
    fn is_urgent(&self) -> bool {
        true
    }

    /// Whether there is anything to do; asked without the write lock, of operations that often have nothing to do.
    fn is_needed(&mut self, db: &Connection) -> rusqlite::Result<bool> {
        let _ = db;
        Ok(true)
    }

    fn run(&mut self, step: &mut Step<'_>) -> rusqlite::Result<()>;

    fn answer(self: Box<Self>, outcome: Result<()>);
}

/// An operation made of a closure, answered to whoever waits for it.
struct Closure<T, F> {
    weight: usize,
    run: F,
    value: Option<T>,
    reply: oneshot::Sender<Result<T>>,
}

impl<T: Send, F: FnMut(&mut Step<'_>) -> rusqlite::Result<T> + Send> Operation for Closure<T, F> {
    fn weight(&self) -> usize {
        self.weight
    }

    fn run(&mut self, step: &mut Step<'_>) -> rusqlite::Result<()> {
        self.value = Some((self.run)(step)?);
        Ok(())
    }

    fn answer(self: Box<Self>, outcome: Result<()>) {
        let value = self.value;
        let unanswered = || Error::new(Code::Internal, "an operation was committed without an answer");
        // Nobody may be waiting any more, which changes nothing.
        let _ = self.reply.send(outcome.and_then(|()| value.ok_or_else(unanswered)));
    }
}

/// An operation whose answer is still to come.
pub(crate) struct Pending<T>(oneshot::Receiver<Result<T>>, Arc<PathBuf>);

impl<T> Pending<T> {
    pub(crate) async fn done(self) -> Result<T> {
        match self.0.await {
            Ok(answer) => answer,
            Err(_) => Err(stopped(&self.1).applied(Applied::Unknown)),
        }
    }
}

impl Writer {
    /// Queues `operation`, which changes `weight` items.
    pub(crate) fn submit<T, F>(&self, weight: usize, operation: F) -> Pending<T>
    where
        T: Send + 'static,
        F: FnMut(&mut Step<'_>) -> rusqlite::Result<T> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        self.enqueue(Box::new(Closure { weight, run: operation, value: None, reply }));
        Pending(answer, Arc::clone(&self.location))
    }

    /// Queues `operation`; it is answered in any case.
    pub(crate) fn enqueue(&self, operation: Box<dyn Operation>) {
        if let Some(error) = self.gone.get() {
            return operation.answer(Err(error.clone()));
        }
        if let Err(refused) = self.queue.send(Order::Run(operation))
            && let Order::Run(operation) = refused.0
        {
            operation.answer(Err(stopped(&self.location)));
        }
    }

    /// Runs `operation` and waits for its answer.
    pub(crate) async fn run<T, F>(&self, weight: usize, operation: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&mut Step<'_>) -> rusqlite::Result<T> + Send + 'static,
    {
        self.submit(weight, operation).done().await
    }

    /// Why the file cannot be used any more, if that is so.
    pub(crate) fn gone(&self) -> Option<&Error> {
        self.gone.get()
    }

    /// From now on the file cannot be used any more.
    pub(crate) fn give_up(&self, error: Error) {
        // The first reason stays.
        let _ = self.gone.set(error);
    }

    /// Lets the thread end when it has done what is queued.
    pub(crate) fn stop(&self) {
        // If the thread has ended already, there is nothing to stop.
        let _ = self.queue.send(Order::Stop);
    }

    /// Waits until the thread has ended and the file is closed.
    pub(crate) async fn ended(&self) {
        // An error means that the thread is gone, which is what is waited for.
        let _ = self.ended.clone().wait_for(|ended| *ended).await;
    }
}

fn stopped(location: &std::path::Path) -> Error {
    Error::new(Code::StoreClosed, format!("{} was closed", location.display()))
}

/// The thread's own part.
pub(crate) struct WriterThread {
    pub(crate) db: Connection,
    pub(crate) identity: Arc<Identity>,
    pub(crate) options: SqliteOptions,
    pub(crate) path: PathBuf,
    pub(crate) clock: Clock,
    pub(crate) turn: Turn,
    pub(crate) bells: Arc<Bells>,
    pub(crate) upkeep: Upkeep,
    state: StepState,
    orders: Receiver<Order>,
    gone: Arc<OnceLock<Error>>,
    ended: tokio::sync::watch::Sender<bool>,
    stop: bool,
    /// The weight of the last group.
    last_weight: usize,
}

/// What a writer thread is made of.
pub(crate) struct WriterParts {
    pub(crate) db: Connection,
    pub(crate) identity: Arc<Identity>,
    pub(crate) options: SqliteOptions,
    pub(crate) path: PathBuf,
    pub(crate) clock: Clock,
    pub(crate) turn: Turn,
    pub(crate) bells: Arc<Bells>,
}

/// What is committed in one transaction.
#[derive(Default)]
struct Group {
    operations: Vec<Box<dyn Operation>>,
    weight: usize,
    is_urgent: bool,
}

impl Group {
    fn add(&mut self, operation: Box<dyn Operation>) {
        self.weight += operation.weight();
        self.is_urgent = self.is_urgent || operation.is_urgent();
        self.operations.push(operation);
    }

    fn is_full(&self) -> bool {
        self.weight >= GROUP_WEIGHT
    }
}

/// Why a group was not committed.
enum Broken {
    /// Before any operation ran.
    Begin(Error),
    /// While one of them ran; all are undone.
    Run(rusqlite::Error),
    /// At the end.
    Commit(Error),
}

pub(crate) fn writer(parts: WriterParts) -> (Writer, WriterThread) {
    let (queue, orders) = channel();
    let (ended, has_ended) = tokio::sync::watch::channel(false);
    let gone = Arc::new(OnceLock::new());
    let location = Arc::new(parts.path.clone());
    let upkeep = Upkeep::new(&parts.options);
    let WriterParts { db, identity, options, path, clock, turn, bells } = parts;
    let thread = WriterThread {
        db,
        identity,
        options,
        path,
        clock,
        turn,
        bells,
        upkeep,
        state: StepState::default(),
        orders,
        gone: Arc::clone(&gone),
        ended,
        stop: false,
        last_weight: 0,
    };
    (Writer { queue, gone, ended: has_ended, location }, thread)
}

impl WriterThread {
    /// Serves until it is told to stop.
    pub(crate) fn serve(mut self) {
        while !self.stop {
            match self.orders.recv_timeout(self.upkeep.next_pause()) {
                Ok(order) => {
                    self.serve_group(order);
                    self.maintain_when_overdue();
                }
                Err(RecvTimeoutError::Timeout) => self.maintain(),
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        let ended = self.ended.clone();
        drop(self);
        ended.send_replace(true);
    }

    fn serve_group(&mut self, first: Order) {
        let mut group = Group::default();
        self.take(first, &mut group);
        self.take_queued(&mut group);
        for gap in 0..MOST_GAPS {
            let Some(patience) = self.patience(&group, gap) else { break };
            let Ok(next) = self.orders.recv_timeout(patience) else { break };
            self.take(next, &mut group);
            self.take_queued(&mut group);
        }
        self.commit(group);
    }

    fn take(&mut self, order: Order, group: &mut Group) {
        match order {
            Order::Stop => self.stop = true,
            Order::Run(operation) => group.add(operation),
        }
    }

    fn take_queued(&mut self, group: &mut Group) {
        while !self.stop
            && !group.is_full()
            && let Ok(order) = self.orders.try_recv()
        {
            self.take(order, group);
        }
    }

    /// How long `group` waits for more, after `gaps` such waits.
    fn patience(&self, group: &Group, gaps: usize) -> Option<Duration> {
        if self.stop {
            None
        } else if !group.is_urgent {
            (gaps == 0).then_some(UNHURRIED)
        } else {
            let busy = self.turn.is_contended() && self.last_weight >= BUSY_WEIGHT;
            (busy && group.weight < GOOD_WEIGHT).then_some(LULL)
        }
    }

    /// Commits `group`, with what was queued while the lock was waited for.
    fn commit(&mut self, mut group: Group) {
        let outcome = match self.begin(&mut group.operations) {
            Ok(true) => {
                self.take_queued(&mut group);
                self.finish(&mut group.operations)
            }
            idle_or_failed => idle_or_failed.map(drop),
        };
        self.last_weight = group.weight;
        self.tell(group.operations, outcome);
        self.turn.step_aside(&self.db);
    }

    /// Answers `operations`. If one of them failed, each gets a transaction of its own, so that only the guilty fails.
    fn tell(&mut self, operations: Vec<Box<dyn Operation>>, outcome: Result<(), Broken>) {
        // Before the answers: a process that sends and ends is gone as soon as it has its answer.
        self.bells.ring(self.state.take_rings());
        match outcome {
            Ok(()) => answer(operations, &Ok(())),
            Err(Broken::Run(_)) if operations.len() > 1 => {
                for operation in operations {
                    self.commit_alone(operation);
                }
            }
            Err(Broken::Run(error)) => answer(operations, &Err(self.coded(error))),
            Err(Broken::Begin(error) | Broken::Commit(error)) => answer(operations, &Err(error)),
        }
    }

    fn commit_alone(&mut self, operation: Box<dyn Operation>) {
        let mut alone = vec![operation];
        let begun = self.begin(&mut alone);
        let outcome = begun.and_then(|begun| if begun { self.finish(&mut alone) } else { Ok(()) });
        self.tell(alone, outcome);
    }

    /// Begins a transaction, unless none of `operations` has anything to do.
    fn begin(&mut self, operations: &mut [Box<dyn Operation>]) -> Result<bool, Broken> {
        self.check_identity().map_err(Broken::Begin)?;
        if !self.is_needed(operations).map_err(Broken::Run)? {
            return Ok(false);
        }
        self.turn
            .begin(&self.db, self.options.busy_limit)
            .map_err(|error| Broken::Begin(self.coded(error)))?;
        Ok(true)
    }

    /// Runs `operations` and ends the transaction.
    fn finish(&mut self, operations: &mut [Box<dyn Operation>]) -> Result<(), Broken> {
        if let Err(error) = self.run_all(operations) {
            self.roll_back();
            return Err(Broken::Run(error));
        }
        if let Err(error) = self.execute("COMMIT") {
            let error = self.failed_commit(error);
            self.roll_back();
            return Err(Broken::Commit(error));
        }
        self.upkeep.note_work(operations.iter().map(|operation| operation.weight()).sum());
        self.check_identity().map_err(|error| Broken::Commit(error.applied(Applied::Unknown)))
    }

    fn is_needed(&self, group: &mut [Box<dyn Operation>]) -> rusqlite::Result<bool> {
        for operation in group {
            if operation.is_needed(&self.db)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn run_all(&mut self, group: &mut [Box<dyn Operation>]) -> rusqlite::Result<()> {
        let mut step = Step::new(&self.db, self.clock.now(), &mut self.state);
        group.iter_mut().try_for_each(|operation| operation.run(&mut step))
    }

    fn check_identity(&self) -> Result<()> {
        if let Some(error) = self.gone.get() {
            return Err(error.clone());
        }
        self.identity.check_process()?;
        self.identity.check_files().inspect_err(|error| {
            let _ = self.gone.set(error.clone());
        })
    }

    fn failed_commit(&self, error: rusqlite::Error) -> Error {
        let error = self.coded(error);
        match error.code() {
            Code::DiskFull | Code::DatabaseBusy => error,
            _ => error.applied(Applied::Unknown),
        }
    }

    fn roll_back(&mut self) {
        self.state.forget();
        if !self.db.is_autocommit()
            && let Err(error) = self.execute("ROLLBACK")
        {
            tracing::error!(%error, "a transaction could not be rolled back");
        }
    }

    fn execute(&self, sql: &str) -> rusqlite::Result<()> {
        self.db.prepare_cached(sql)?.execute([]).map(drop)
    }

    fn coded(&self, error: rusqlite::Error) -> Error {
        failure::of_sqlite(error, &self.path, "write")
    }

    fn maintain_when_overdue(&mut self) {
        if self.upkeep.is_overdue(self.clock.boot()) {
            self.maintain();
        }
    }

    /// One slice of what keeps the file small.
    fn maintain(&mut self) {
        let boot = self.clock.boot();
        if self.check_identity().is_err() {
            return self.upkeep.rest(boot);
        }
        let begun = self.turn.begin(&self.db, Duration::ZERO);
        let done = begun.and_then(|()| {
            let mut step = Step::new(&self.db, self.clock.now(), &mut self.state);
            self.upkeep.slice(&mut step, boot)
        });
        let done = done.and_then(|()| self.execute("COMMIT"));
        if let Err(error) = done {
            self.roll_back();
            if is_busy(&error) {
                self.upkeep.try_again(boot);
            } else {
                self.upkeep.rest(boot);
            }
            tracing::debug!(%error, "upkeep was put off");
        }
        self.upkeep.shrink_log(&self.db);
    }
}

fn answer(group: Vec<Box<dyn Operation>>, outcome: &Result<()>) {
    for operation in group {
        operation.answer(outcome.clone());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;
    use crate::database::Database;
    use cardoon_testkit::eventually;

    const DEADLINE: Duration = Duration::from_secs(20);

    /// Looks, when it is run, whether an earlier operation has been answered.
    #[derive(Clone, Default)]
    struct Probe {
        earlier: Option<Arc<AtomicBool>>,
        answered: Arc<AtomicBool>,
        came_later: Arc<AtomicBool>,
    }

    impl Operation for Probe {
        fn weight(&self) -> usize {
            1
        }

        fn run(&mut self, _step: &mut Step<'_>) -> rusqlite::Result<()> {
            let is_answered = self.earlier.as_ref().is_some_and(|earlier| earlier.load(Ordering::SeqCst));
            self.came_later.store(is_answered, Ordering::SeqCst);
            Ok(())
        }

        fn answer(self: Box<Self>, outcome: Result<()>) {
            outcome.unwrap();
            self.answered.store(true, Ordering::SeqCst);
        }
    }

    #[tokio::test]
    async fn a_group_takes_along_what_was_queued_while_it_waited_for_the_lock() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tasks.db");
        let database = Database::open(&path, &SqliteOptions::default(), &Clock::real()).unwrap();
        let foreign = Connection::open(&path).unwrap();
        foreign.execute_batch("BEGIN IMMEDIATE").unwrap();
        let first = Probe::default();
        database.writer.enqueue(Box::new(first.clone()));
        // Whoever waits for the lock says so with a lock on this file.
        let turn = database.live.file("turn").unwrap();
        eventually("the writer waits", DEADLINE, async || match turn.try_lock() {
            Ok(()) => turn.unlock().is_err(),
            Err(_) => true,
        })
        .await;
        let second = Probe { earlier: Some(Arc::clone(&first.answered)), ..Probe::default() };
        database.writer.enqueue(Box::new(second.clone()));
        foreign.execute_batch("COMMIT").unwrap();
        eventually("both are answered", DEADLINE, async || second.answered.load(Ordering::SeqCst)).await;
        assert!(!second.came_later.load(Ordering::SeqCst), "it had a transaction of its own");
        database.leave();
    }
}
