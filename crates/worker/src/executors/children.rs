//! Tasks that run in the worker's children.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use cardoon_children::dispatch::Care;
use cardoon_children::frame::{Cancel, Gate, Tag};
use cardoon_children::{Call, Ending, Failure, How, Label, Owner, Pool, Prepared, Printed};
use cardoon_core::RetryHint;
use cardoon_errors::{Error, Result};
use cardoon_runtime::Supervisor;

use super::run::{Kit, Run, outcome};
use crate::definition::ChildTask;
use crate::engine::{Outcome, Ticket};
use crate::{AckMode, CancelReason, TaskError, report};

/// Hands runs to a pool of children. A run's tag is its ticket.
pub(super) struct Children {
    pool: Pool,
    desk: Arc<Desk>,
}

/// The runs that are with children.
struct Desk {
    kit: Arc<Kit>,
    runs: Mutex<HashMap<Tag, Run>>,
}

impl Children {
    pub(super) fn new(prepared: Prepared, kit: Arc<Kit>, services: &Supervisor) -> Result<Self> {
        let gate = Arc::clone(&kit.gate);
        let desk = Arc::new(Desk { kit, runs: Mutex::default() });
        let pool = prepared.run(Arc::clone(&desk) as Arc<dyn Owner>, services)?;
        let told = pool.clone();
        gate.tell(move |start_before, open_since| told.set_gate(Gate { start_before, open_since }));
        Ok(Self { pool, desk })
    }

    /// Submits a run; [`Self::flush`] gives it to a child.
    pub(super) fn start(&self, run: Run, task: ChildTask) {
        if !run.may_begin() {
            return run.end(Outcome::NotStarted);
        }
        let Some(call) = call(&run, task) else {
            return run.end(Outcome::CannotStart("the run has no message".to_owned()));
        };
        let care = care(&run);
        self.desk.runs().insert(call.tag, run);
        self.pool.submit(call, care);
    }

    pub(super) fn flush(&self) {
        self.pool.flush();
    }

    pub(super) fn cancel(&self, ticket: Ticket, reason: CancelReason) {
        let why = match reason {
            CancelReason::SoftTimeLimit => Cancel::SoftTimeLimit,
            CancelReason::TimeLimit => Cancel::TimeLimit,
            CancelReason::Revoked => Cancel::Revoked,
            CancelReason::Shutdown => Cancel::Shutdown,
        };
        self.pool.cancel(ticket.0, why);
    }

    pub(super) fn abort(&self, ticket: Ticket) {
        self.pool.abort(ticket.0);
    }

    pub(super) fn resize(&self, children: usize) {
        self.pool.resize(children);
    }

    pub(super) fn is_ready(&self) -> bool {
        self.pool.is_ready()
    }

    pub(super) async fn ready(&self) {
        self.pool.ready().await;
    }

    /// Lets the children end, which have nothing to do any more.
    pub(super) async fn close(&self) {
        self.pool.stop_all().await;
    }

    /// What has not begun does not begin.
    pub(super) fn drain(&self) {
        self.pool.call_off_all();
    }
}

impl Desk {
    fn runs(&self) -> MutexGuard<'_, HashMap<Tag, Run>> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Owner for Desk {
    fn may_begin(&self, tag: Tag) {
        if let Some(run) = self.runs().get_mut(&tag) {
            run.mark_begun();
        }
    }

    fn began(&self, tag: Tag, _at: u64) {
        if let Some(run) = self.runs().get_mut(&tag) {
            run.mark_begun();
            run.count_limits();
        }
    }

    fn ended(&self, tag: Tag, ending: Ending) {
        let Some(mut run) = self.runs().remove(&tag) else { return };
        let outcome = match ending {
            Ending::Told { micros, how } => {
                run.took(Duration::from_micros(micros));
                told(how)
            }
            Ending::Unstarted => Outcome::NotStarted,
            Ending::Died(how) => Outcome::ChildDied(how),
            Ending::Killed => Outcome::Aborted,
        };
        run.end(outcome);
    }

    fn state(&self, tag: Tag, document: Bytes) {
        if let Some(run) = self.runs().get(&tag) {
            run.context.progress(0, None, String::from_utf8_lossy(&document));
        }
    }

    fn label(&self, tag: Tag) -> Option<Label> {
        let runs = self.runs();
        let start = &runs.get(&tag)?.start;
        Some(Label {
            id: start.id.clone(),
            task: Arc::clone(&start.task.name),
            queue: start.queue.clone(),
            attempt: start.attempt,
            trace: start.call.trace.clone(),
        })
    }

    fn print(&self, printed: &Printed) {
        report::say_line(printed, &self.kit.worker);
    }

    fn failed(&self, error: Error) {
        self.kit.inbox.fail(error);
    }
}

/// Whether a run has begun when its worker dies must be known of those that must not run twice, and of those that may have
/// killed a worker.
fn care(run: &Run) -> Care {
    if run.start.task.definition.options.ack == AckMode::Early {
        Care::Once
    } else if run.start.redelivered {
        Care::Alone
    } else {
        Care::Usual
    }
}

fn call(run: &Run, task: ChildTask) -> Option<Call<String, Bytes>> {
    let start = &run.start;
    let message = start.message.as_ref()?;
    let millis = |limit: Option<Duration>| limit.map_or(0, |limit| limit.as_millis() as u64);
    Some(Call {
        tag: start.ticket.0,
        task: task.index,
        run: start.run.0,
        attempt: start.attempt,
        since: start.since.0,
        report: start.has_limits(),
        redelivered: start.redelivered,
        priority: message.priority.level(),
        soft_time_limit: millis(start.soft_time_limit),
        time_limit: millis(start.time_limit),
        id: start.id.to_string(),
        root_id: start.call.root_id.as_ref().map(ToString::to_string),
        parent_id: start.call.parent_id.as_ref().map(ToString::to_string),
        queue: start.queue.to_string(),
        headers: run.headers(message),
        args: start.call.arguments.args().clone(),
        kwargs: start.call.arguments.kwargs().clone(),
    })
}

fn told(how: How<String, Bytes>) -> Outcome {
    match how {
        How::Returned(value) => outcome(Ok(Ok(value))),
        How::Failed(failure) => Outcome::Failed(error(failure, RetryHint::Never)),
        How::Retry { after, failure, arguments } => {
            let error = error(failure, RetryHint::After(Duration::from_millis(after)));
            Outcome::Failed(match arguments {
                Some((args, kwargs)) => error.with_arguments(args, kwargs),
                None => error,
            })
        }
        How::Ignored => Outcome::Ignored,
        How::Rejected { requeue, why } => Outcome::Rejected { requeue, why },
        How::NotStarted => Outcome::NotStarted,
        How::Cancelled => Outcome::Aborted,
    }
}

fn error(failure: Failure<String>, hint: RetryHint) -> TaskError {
    let mut error = TaskError::new(failure.kind, failure.message).with_hint(hint);
    error.failure.details = failure.details;
    error.failure.arguments = failure.arguments.map(String::into_boxed_str);
    if failure.bad_arguments { error.over_arguments() } else { error }
}
