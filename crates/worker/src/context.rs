//! What a running task knows of itself.

use std::fmt;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use cardoon_core::{BootInstant, Progress, QueueName, RunNumber, TaskId, Timestamp, TraceContext};
use cardoon_runtime::Clock;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::States;

/// The run that a task is in: who it is, how long it may take, and whether it should stop. Cheap to clone.
#[derive(Clone)]
pub struct TaskContext(Arc<Inner>);

struct Inner {
    parts: ContextParts,
    stage: AtomicU8,
    began_at: OnceLock<BootInstant>,
    cancelled: CancellationToken,
    reason: OnceLock<CancelReason>,
    aborted: Notify,
}

/// User code has not begun, has begun, or must not begin any more.
const WAITING: u8 = 0;
const BEGUN: u8 = 1;
const CALLED_OFF: u8 = 2;

/// What a context is made of; for those who run a task without a worker.
#[derive(Clone)]
pub struct ContextParts {
    pub id: TaskId,
    pub task: Arc<str>,
    pub queue: QueueName,
    pub attempt: u32,
    pub run: RunNumber,
    pub root_id: Option<TaskId>,
    pub parent_id: Option<TaskId>,
    /// The trace that it runs in.
    pub trace: Option<Arc<TraceContext>>,
    pub soft_time_limit: Option<Duration>,
    pub time_limit: Option<Duration>,
    pub states: Arc<States>,
    pub clock: Clock,
    /// Where progress goes.
    pub progress: ProgressSink,
}

/// Takes a run's progress; must not block.
pub type ProgressSink = Arc<dyn Fn(Progress) + Send + Sync>;

/// Why a task should stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum CancelReason {
    /// Its soft time limit is over; the hard one follows.
    SoftTimeLimit,
    /// Its hard time limit is over: what it does now does not count.
    TimeLimit,
    Revoked,
    /// The worker stops; the task will run again.
    Shutdown,
}

impl TaskContext {
    pub fn new(parts: ContextParts) -> Self {
        Self(Arc::new(Inner {
            parts,
            stage: AtomicU8::new(WAITING),
            began_at: OnceLock::new(),
            cancelled: CancellationToken::new(),
            reason: OnceLock::new(),
            aborted: Notify::new(),
        }))
    }

    pub fn id(&self) -> &TaskId {
        &self.0.parts.id
    }

    /// The name of the task.
    pub fn task(&self) -> &str {
        &self.0.parts.task
    }

    pub fn queue(&self) -> &QueueName {
        &self.0.parts.queue
    }

    /// 0 for the first attempt.
    pub fn attempt(&self) -> u32 {
        self.0.parts.attempt
    }

    /// The number of this run of the task. It only grows: give it to a store as a fencing token, and have the store
    /// refuse what comes with a smaller one.
    pub fn run(&self) -> RunNumber {
        self.0.parts.run
    }

    /// The task that the first call of a chain of tasks started.
    pub fn root_id(&self) -> Option<&TaskId> {
        self.0.parts.root_id.as_ref()
    }

    /// The task that sent this one.
    pub fn parent_id(&self) -> Option<&TaskId> {
        self.0.parts.parent_id.as_ref()
    }

    /// The trace that the task was sent in, if its sender wrote one into the message. What is sent as a child of
    /// this run goes on in it.
    pub fn trace(&self) -> Option<&TraceContext> {
        self.0.parts.trace.as_deref()
    }

    /// When the task is ended, if it has a time limit.
    pub fn deadline(&self) -> Option<Timestamp> {
        Some(self.0.parts.clock.now().plus(self.time_left()?))
    }

    /// When the task is told to stop, if it has a soft time limit.
    pub fn soft_deadline(&self) -> Option<Timestamp> {
        let left = self.left_of(self.0.parts.soft_time_limit?);
        Some(self.0.parts.clock.now().plus(left))
    }

    /// How long until the task is ended, if it has a time limit; zero when that is over.
    pub fn time_left(&self) -> Option<Duration> {
        Some(self.left_of(self.0.parts.time_limit?))
    }

    /// Says how far the run is. Stored at most 10 times a second; the last one counts. Never blocks.
    pub fn progress(&self, done: u64, total: Option<u64>, message: impl Into<String>) {
        (self.0.parts.progress)(Progress { done, total, message: message.into() });
    }

    /// Waits until the task should stop, and says why.
    pub async fn cancelled(&self) -> CancelReason {
        self.0.cancelled.cancelled().await;
        self.cancel_reason().unwrap_or(CancelReason::Shutdown)
    }

    /// Whether the task should stop: ask it often in a task that blocks.
    pub fn is_cancelled(&self) -> bool {
        self.0.cancelled.is_cancelled()
    }

    /// Why the task should stop: the first reason that came.
    pub fn cancel_reason(&self) -> Option<CancelReason> {
        self.0.reason.get().copied()
    }

    /// The worker's state of this type. A task that declared it in its definition always has it.
    pub fn state<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        self.0.parts.states.get()
    }

    /// Tells the task to stop. The first reason stays.
    pub fn cancel(&self, reason: CancelReason) {
        let _ = self.0.reason.set(reason);
        self.0.cancelled.cancel();
    }

    /// User code begins now: the time limits count from here.
    pub fn begin(&self) {
        let _ = self.0.began_at.set(self.0.parts.clock.boot());
    }

    /// User code begins now, unless it was called off.
    pub(crate) fn enter(&self) -> bool {
        let entered = self.leave_waiting(BEGUN);
        if entered {
            self.begin();
        }
        entered
    }

    /// Keeps user code from beginning. False if it has begun.
    pub(crate) fn call_off(&self) -> bool {
        self.leave_waiting(CALLED_OFF) || self.0.stage.load(Ordering::SeqCst) == CALLED_OFF
    }

    fn leave_waiting(&self, stage: u8) -> bool {
        self.0.stage.compare_exchange(WAITING, stage, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }

    /// Ends the run by force, if its executor can. One that has not begun does not begin.
    pub(crate) fn abort(&self) {
        self.call_off();
        self.0.aborted.notify_one();
    }

    /// Waits until the run is to be ended by force.
    pub(crate) async fn aborted(&self) {
        self.0.aborted.notified().await;
    }

    fn left_of(&self, limit: Duration) -> Duration {
        let now = self.0.parts.clock.boot();
        let began = self.0.began_at.get().copied().unwrap_or(now);
        limit.saturating_sub(now.since(began))
    }
}

impl fmt::Debug for TaskContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskContext")
            .field("id", self.id())
            .field("task", &self.task())
            .field("attempt", &self.attempt())
            .field("run", &self.run())
            .field("cancel_reason", &self.cancel_reason())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cardoon_runtime::ManualClock;

    fn limited(clock: Clock) -> TaskContext {
        TaskContext::new(ContextParts {
            id: TaskId::new("a").unwrap(),
            task: "t".into(),
            queue: QueueName::default(),
            attempt: 0,
            run: RunNumber::FIRST,
            root_id: None,
            parent_id: None,
            trace: None,
            soft_time_limit: None,
            time_limit: Some(Duration::from_secs(10)),
            states: Arc::default(),
            clock,
            progress: Arc::new(|_| ()),
        })
    }

    #[test]
    fn the_time_that_is_left_counts_from_the_begin_and_ignores_the_wall_clock() {
        let manual = ManualClock::new(Timestamp(1_000_000));
        let context = limited(Clock::manual(&manual));
        manual.advance(Duration::from_secs(3));
        context.begin();
        manual.advance(Duration::from_secs(4));
        manual.step_wall(60_000);
        assert_eq!(context.time_left(), Some(Duration::from_secs(6)));
        manual.advance(Duration::from_mins(1));
        assert_eq!(context.time_left(), Some(Duration::ZERO));
    }

    #[tokio::test]
    async fn the_first_reason_to_stop_stays() {
        let context = limited(Clock::real());
        assert!(!context.is_cancelled());
        context.cancel(CancelReason::SoftTimeLimit);
        context.cancel(CancelReason::Shutdown);
        assert_eq!(context.cancelled().await, CancelReason::SoftTimeLimit);
    }
}
