//! A delivery between its claim and its verdict.

use std::sync::Arc;

use cardoon_broker::Delivery;
use cardoon_core::{BootInstant, DeadReason, RunNumber, TaskFailure, Timestamp, TraceContext};

use super::alarms::Armed;
use super::{Content, KnownTask};
use crate::{AckMode, CancelReason, Handler, Isolation, Lane};

#[derive(Debug)]
pub(super) struct Held {
    /// The name of this worker.
    pub worker: Arc<str>,
    pub delivery: Delivery,
    pub content: Content,
    pub phase: Phase,
    pub run: RunNumber,
    /// It was acknowledged before its run.
    pub early: bool,
    /// When its claim was asked for.
    pub since: BootInstant,
    pub arrived_at: BootInstant,
}

/// Where a held delivery stands.
#[derive(Debug)]
pub(super) enum Phase {
    /// Its time comes within the next two seconds.
    Waiting(Timestamp),
    LookingUp,
    Buffered,
    /// Registers, and is closed without a run when it has.
    Closing(Ending),
    /// Has a slot, registers its run.
    Registering,
    /// Has a slot, waits for its early acknowledgement to be stored.
    Acknowledging,
    Running(Running),
}

/// A run whose user code has begun, or is about to.
#[derive(Debug)]
pub(super) struct Running {
    pub started_at: Timestamp,
    pub started: BootInstant,
    pub alarms: Armed,
    /// The last reason for which it was told to stop.
    pub told: Option<CancelReason>,
    /// It was ended by force.
    pub aborted: bool,
}

/// How a delivery ends without a run.
#[derive(Debug)]
pub(super) enum Ending {
    Revoked,
    Expired(Timestamp),
    /// It was acknowledged early, and its worker was lost.
    OutcomeUnknown,
    Dead(DeadReason, TaskFailure),
}

impl Held {
    pub(super) fn known(&self) -> Option<&Arc<KnownTask>> {
        match &self.content {
            Content::Known { task, .. } => Some(task),
            _ => None,
        }
    }

    /// The trace that its task was sent in.
    pub(super) fn trace(&self) -> Option<Arc<TraceContext>> {
        match &self.content {
            Content::Known { call, .. } => call.trace.clone(),
            _ => None,
        }
    }

    /// Whether it runs while nothing else does: it is blamed for a death, and the next one would be the worker's.
    pub(super) fn runs_alone(&self) -> bool {
        self.delivery.deaths > 0 && self.kind() != RunKind::Process
    }

    pub(super) fn acks_early(&self) -> bool {
        self.known().is_some_and(|task| task.definition.options.ack == AckMode::Early)
    }

    pub(super) fn kind(&self) -> RunKind {
        self.known().map_or(RunKind::Future, |task| task.kind())
    }

    pub(super) fn eta(&self) -> Option<Timestamp> {
        match &self.content {
            Content::Undecodable(_) => None,
            Content::Unknown { eta, .. } => *eta,
            Content::Known { call, .. } => call.eta,
        }
    }

    pub(super) fn has_slot(&self) -> bool {
        matches!(self.phase, Phase::Registering | Phase::Acknowledging | Phase::Running(_))
    }

    /// The time after which it may not start, if that is over.
    pub(super) fn expired(&self, now: Timestamp) -> Option<Timestamp> {
        let said = match &self.content {
            Content::Undecodable(_) => None,
            Content::Unknown { expires, .. } => *expires,
            Content::Known { call, .. } => call.expires,
        };
        said.or(self.delivery.message.expires).filter(|expires| *expires <= now)
    }
}

/// What a run is to the machine, and so how it can be ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RunKind {
    /// Ends at its next yield.
    Future,
    /// Ends when it wants to.
    Thread,
    /// Can be killed.
    Process,
}

impl KnownTask {
    /// Whether its message is passed on to another process.
    pub(super) fn runs_elsewhere(&self) -> bool {
        let definition = &self.definition;
        definition.options.isolate == Isolation::Process || matches!(definition.handler, Handler::Child(_))
    }

    pub(super) fn kind(&self) -> RunKind {
        match (&self.definition.options.isolate, &self.definition.handler) {
            (Isolation::Process, _) => RunKind::Process,
            (Isolation::None, Handler::Async(_)) => RunKind::Future,
            (Isolation::None, Handler::Blocking(_)) => RunKind::Thread,
            (Isolation::None, Handler::Child(child)) => match child.lane {
                Lane::Process => RunKind::Process,
                Lane::Thread => RunKind::Thread,
                Lane::Future => RunKind::Future,
            },
        }
    }
}
