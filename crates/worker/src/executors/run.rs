//! One run, from its start to the event that says how it ended.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

#[cfg(target_os = "linux")]
use bytes::Bytes;
use cardoon_broker::Consumer;
#[cfg(target_os = "linux")]
use cardoon_core::Message;
use cardoon_runtime::Clock;
use tracing::Span;

use crate::engine::{Event, Outcome, Start};
use crate::gate::Gate;
use crate::inbox::Inbox;
use crate::progress::{Board, Runner};
use crate::trace::RunTrace;
use crate::{ContextParts, States, TaskContext, TaskError, TaskResult};

/// What all runs of a worker share.
pub(crate) struct Kit {
    pub worker: Arc<str>,
    pub consumer: Arc<dyn Consumer>,
    pub states: Arc<States>,
    pub gate: Arc<Gate>,
    pub board: Board,
    pub clock: Clock,
    pub inbox: Inbox,
}

/// A run in the hands of an executor. However it is dropped, the engine learns that it has ended.
pub(crate) struct Run {
    pub start: Box<Start>,
    pub context: TaskContext,
    kit: Arc<Kit>,
    trace: RunTrace,
    began: bool,
    told: bool,
    ran: Option<Duration>,
}

impl Run {
    pub(super) fn new(start: Box<Start>, kit: Arc<Kit>) -> Self {
        let trace = RunTrace::begin(&start, &kit.worker);
        let context = TaskContext::new(parts(&start, &kit, &trace));
        Self { start, context, kit, trace, began: false, told: false, ran: None }
    }

    pub(super) fn span(&self) -> Span {
        self.trace.span(&self.start, &self.kit.worker)
    }

    /// The headers of its message, for a child that runs it.
    #[cfg(target_os = "linux")]
    pub(super) fn headers(&self, message: &Message) -> Bytes {
        self.trace.headers(message)
    }

    /// The last moment before user code: whether the lease still allows it. Says so to rescuers.
    pub(super) fn begin(&mut self) -> bool {
        if !self.kit.gate.may_start(self.start.since) {
            return false;
        }
        // Said first, looked after: who finds the lease lapsed, and nothing said, knows that it does not begin.
        self.kit.consumer.mark_started(self.start.lease);
        if !self.kit.gate.may_start(self.start.since) || !self.context.enter() {
            self.kit.consumer.mark_ended(self.start.lease);
            return false;
        }
        self.began = true;
        if self.start.has_limits() {
            self.kit.inbox.send(Event::Began(self.start.ticket));
        }
        true
    }

    /// Whether user code could begin now, for an executor that looks once more itself.
    pub(super) fn may_begin(&self) -> bool {
        self.kit.gate.may_start(self.start.since)
    }

    /// Says to rescuers that user code has begun, or may begin at any moment.
    pub(super) fn mark_begun(&mut self) {
        if !std::mem::replace(&mut self.began, true) {
            self.kit.consumer.mark_started(self.start.lease);
            self.context.enter();
        }
    }

    /// User code has begun elsewhere: its limits count from here.
    pub(super) fn count_limits(&self) {
        if self.start.has_limits() {
            self.kit.inbox.send(Event::Began(self.start.ticket));
        }
    }

    /// User code has run for so long.
    pub(super) fn took(&mut self, ran: Duration) {
        self.ran = Some(ran);
    }

    pub(super) fn end(mut self, outcome: Outcome) {
        self.tell(outcome);
    }

    fn tell(&mut self, outcome: Outcome) {
        self.told = true;
        self.trace.end(&outcome);
        if self.began {
            self.kit.consumer.mark_ended(self.start.lease);
        }
        self.kit.inbox.ended(self.start.ticket, outcome, self.ran);
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        if !self.told {
            self.tell(if self.began { Outcome::Aborted } else { Outcome::NotStarted });
        }
    }
}

/// What a call came to, a panic included.
pub(super) fn outcome(called: Result<TaskResult, Box<dyn Any + Send>>) -> Outcome {
    match called {
        Ok(Ok(value)) => Outcome::Succeeded(value),
        Ok(Err(error)) => Outcome::Failed(error),
        Err(payload) => Outcome::Failed(TaskError::from_panic(&*payload)),
    }
}

fn parts(start: &Start, kit: &Kit, trace: &RunTrace) -> ContextParts {
    let runner = Runner {
        id: start.id.clone(),
        run: start.run,
        task: Arc::clone(&start.task.name),
        queue: start.queue.clone(),
        attempt: start.attempt,
    };
    ContextParts {
        id: start.id.clone(),
        task: Arc::clone(&start.task.name),
        queue: start.queue.clone(),
        attempt: start.attempt,
        run: start.run,
        root_id: start.call.root_id.clone(),
        parent_id: start.call.parent_id.clone(),
        trace: trace.context(start),
        soft_time_limit: start.soft_time_limit,
        time_limit: start.time_limit,
        states: Arc::clone(&kit.states),
        clock: kit.clock.clone(),
        progress: kit.board.sink(runner),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::executors::fake::{self, LEASE, Slow};

    fn run(noting_takes: Duration) -> (Run, Arc<Slow>) {
        let (kit, store, _) = fake::kit(noting_takes);
        (Run::new(fake::start(1, kit.clock.boot()), kit), store)
    }

    #[test]
    fn a_start_is_noted_before_the_lease_is_looked_at() {
        let (mut stalled, store) = run(LEASE);
        assert!(!stalled.begin(), "a heartbeat came after the lease had lapsed, and a rescuer in between");
        assert_eq!(*store.marks.lock().unwrap(), ["started", "ended"]);
        let (mut smooth, store) = run(Duration::from_secs(14));
        assert!(smooth.begin());
        assert_eq!(*store.marks.lock().unwrap(), ["started"]);
    }

    #[test]
    fn a_run_begins_or_is_called_off_and_never_both() {
        let (mut called_off, _store) = run(Duration::ZERO);
        assert!(called_off.context.call_off() && called_off.context.call_off());
        assert!(!called_off.begin());
        let (mut begun, _store) = run(Duration::ZERO);
        assert!(begun.begin());
        assert!(!begun.context.call_off());
        let (mut aborted, store) = run(Duration::ZERO);
        aborted.context.abort();
        assert!(!aborted.begin());
        store.gate.shut();
        let (mut late, store) = run(Duration::ZERO);
        store.gate.shut();
        assert!(!late.begin(), "the worker has left");
    }
}
