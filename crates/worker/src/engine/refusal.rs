//! Verdicts that the store refuses for good. Each delivery climbs down once: its verdict, a failure in its place, a
//! dead letter without a record, and back to its queue. What is refused even that stays with the worker.

use std::collections::HashSet;

use cardoon_broker::Settle;
use cardoon_core::settle::{ReleaseCause, Verdict};
use cardoon_core::{DeadReason, TaskId, Timestamp};
use cardoon_errors::{Code, Error, Kind};

use super::held::Held;
use super::report::Tidings;
use super::verdict::{self, Closed};
use super::{Command, Engine, Now, Ticket};

/// No more tasks than this are remembered to have gone back to their queue.
const MOST_GIVEN_BACK: usize = 1024;

/// A verdict that is not stored yet.
#[derive(Debug)]
pub(super) struct Settling {
    pub held: Held,
    step: Step,
    /// How the run ended, in words.
    detail: String,
    started_at: Option<Timestamp>,
    /// What to tell when it is stored.
    pub tidings: Tidings,
}

impl Settling {
    fn bare(held: Held, step: Step) -> Self {
        Self { held, step, detail: String::new(), started_at: None, tidings: Tidings::Nothing }
    }
}

/// How far a delivery has climbed down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// An end with its record.
    End,
    /// The failure in its place.
    Failure,
    /// The dead letter, or another verdict that has no record.
    Bare(ReleaseCause),
    GivenBack,
}

/// The tasks that went back to their queue because nothing else was taken. A second time they stay.
#[derive(Debug, Default)]
pub(super) struct GivenBack(HashSet<TaskId>);

impl GivenBack {
    fn is_first(&mut self, id: &TaskId) -> bool {
        if self.0.len() >= MOST_GIVEN_BACK {
            self.0.clear();
        }
        self.0.insert(id.clone())
    }
}

impl Engine {
    /// Gives a verdict with a record.
    pub(super) fn settle(&mut self, ticket: Ticket, held: Held, closed: Closed, now: Now) {
        self.settle_at(ticket, held, closed, Step::End, now);
    }

    /// Gives a verdict without a record, if the delivery is still ours.
    pub(super) fn settle_bare(&mut self, ticket: Ticket, verdict: Verdict) {
        let Some(held) = self.held.remove(&ticket) else { return };
        self.settle_held_bare(ticket, held, verdict);
    }

    /// Settles a delivery that is not held any more, without a record.
    pub(super) fn settle_held_bare(&mut self, ticket: Ticket, held: Held, verdict: Verdict) {
        let step = match verdict {
            Verdict::Release { .. } => Step::GivenBack,
            Verdict::Defer { .. } => Step::Bare(ReleaseCause::Unstarted),
            _ => Step::Bare(ReleaseCause::Interrupted),
        };
        self.settle_bare_at(ticket, held, verdict, step);
    }

    /// The store has refused a verdict for good: the next best one is tried.
    pub(super) fn refused(&mut self, ticket: Ticket, settling: Settling, error: &Error, now: Now) {
        let Settling { held, step, detail, started_at, .. } = settling;
        match step {
            // The store is gone, and gives back by itself what nobody settles.
            _ if error.kind() == Kind::Closed => {}
            Step::End => {
                let closed = verdict::not_stored(&held, &detail, started_at, error, now.wall);
                self.settle_at(ticket, held, closed, Step::Failure, now);
            }
            Step::Failure => {
                let verdict = Verdict::Dead { reason: DeadReason::NotStored, detail: error.to_string() };
                self.settle_bare_at(ticket, held, verdict, Step::Bare(ReleaseCause::Interrupted));
            }
            Step::Bare(cause) if self.given_back.is_first(&held.delivery.message.id) => {
                self.settle_bare_at(ticket, held, Verdict::Release { cause }, Step::GivenBack);
            }
            Step::Bare(_) | Step::GivenBack => say_that_it_stays(&held, error),
        }
    }

    /// The store has refused the early acknowledgement of a task, which therefore does not run.
    pub(super) fn refused_early(&mut self, ticket: Ticket, error: &Error, now: Now) {
        self.leave_slot(ticket);
        let Some(held) = self.held.remove(&ticket) else { return };
        let detail = "it was not acknowledged early, so it did not run".to_owned();
        let settling = Settling { detail, ..Settling::bare(held, Step::End) };
        self.refused(ticket, settling, error, now);
    }

    fn settle_at(&mut self, ticket: Ticket, held: Held, closed: Closed, step: Step, now: Now) {
        let tidings = self.reporter.of_end(&held, &closed, now);
        let Closed { settle, detail } = closed;
        let started_at = settle.record.as_ref().and_then(|record| record.started_at);
        let trace = held.trace();
        self.settling.insert(ticket, Settling { held, step, detail, started_at, tidings });
        self.command(Command::Settle { ticket, settle: Box::new(settle), trace });
    }

    fn settle_bare_at(&mut self, ticket: Ticket, held: Held, verdict: Verdict, step: Step) {
        let settle = Box::new(Settle::bare(held.delivery.lease, verdict));
        self.settling.insert(ticket, Settling::bare(held, step));
        self.command(Command::Settle { ticket, settle, trace: None });
    }
}

fn say_that_it_stays(held: &Held, error: &Error) {
    let id = &held.delivery.message.id;
    let text =
        format!("task {id} stays with this worker until it leaves: the store refuses every verdict: {error}");
    let error = Error::new(Code::NotStored, text);
    tracing::error!(task.id = %id, %error, "a task cannot be settled");
}
