//! Deliveries that end without a run, and those that are handed back.

use cardoon_core::rescue::POISON_DEATHS;
use cardoon_core::settle::{ReleaseCause, Verdict};
use cardoon_core::{DeadReason, TaskFailure, Timestamp};

use super::held::{Ending, Held, Phase, RunKind};
use super::start::KEPT_AHEAD;
use super::verdict;
use super::{Command, Content, Engine, Now, Ticket};
use crate::CancelReason;

/// What is to become of a delivery that has just arrived.
pub(super) enum Judgement {
    End(Ending),
    /// Back to the broker's delayed store.
    Defer(Timestamp),
    LookUp(String),
    /// Keep it until then.
    Wait(Timestamp),
    Start,
}

/// Judges a delivery. `kept`: whether one more may be kept for its time.
pub(super) fn judge(held: &Held, now: Timestamp, kept: bool) -> Judgement {
    if let Some(ending) = overdue(held, now) {
        return Judgement::End(ending);
    }
    if let Content::Undecodable(undecodable) = &held.content {
        let failure = TaskFailure::new("BadMessage", undecodable.detail.clone());
        return Judgement::End(Ending::Dead(undecodable.reason, failure));
    }
    match held.eta().filter(|eta| *eta > now) {
        Some(eta) if eta.since(now) > KEPT_AHEAD || !kept => Judgement::Defer(eta),
        eta => match (&held.content, eta) {
            (Content::Unknown { task, .. }, _) => Judgement::LookUp(task.clone()),
            (_, Some(eta)) => Judgement::Wait(eta),
            (_, None) => Judgement::Start,
        },
    }
}

/// What ended a delivery before it could run.
pub(super) fn overdue(held: &Held, now: Timestamp) -> Option<Ending> {
    if held.delivery.outcome_unknown {
        return Some(Ending::OutcomeUnknown);
    }
    if held.delivery.deaths >= POISON_DEATHS {
        return Some(Ending::Dead(
            DeadReason::Poison,
            verdict::poison(held.delivery.deaths, "its worker died"),
        ));
    }
    if held.delivery.revoked {
        return Some(Ending::Revoked);
    }
    held.expired(now).map(Ending::Expired)
}

impl Engine {
    /// Ends a delivery that has no slot. Its record must carry the number of the current run, so one that may not be
    /// the first registers before.
    pub(super) fn end_without_run(&mut self, ticket: Ticket, ending: Ending, now: Now) {
        let Some(held) = self.held.get_mut(&ticket) else { return };
        let ran = held.delivery.outcome_unknown || held.delivery.deaths > 0;
        if ran || held.delivery.must_register() {
            let (id, attempt) = (held.delivery.message.id.clone(), held.delivery.message.attempt);
            held.phase = Phase::Closing(ending);
            self.command(Command::Begin { ticket, id, attempt });
        } else {
            self.close(ticket, ending, now);
        }
    }

    /// Ends a delivery whose run number is known.
    pub(super) fn close(&mut self, ticket: Ticket, ending: Ending, now: Now) {
        let Some(held) = self.held.remove(&ticket) else { return };
        let closed = verdict::without_run(&held, ending, now.wall);
        self.settle(ticket, held, closed, now);
    }

    /// Another run has ended the task or is further: there is nothing left to do.
    pub(super) fn drop_finished(&mut self, ticket: Ticket) {
        self.leave_slot(ticket);
        self.settle_bare(ticket, Verdict::Ack);
    }

    pub(super) fn hand_back(&mut self, ticket: Ticket, cause: ReleaseCause) {
        self.leave_slot(ticket);
        self.settle_bare(ticket, Verdict::Release { cause });
    }

    /// Hands back all that has no slot, because leases are too old or the worker stops.
    pub(super) fn hand_back_unstarted(&mut self) {
        let waiting = std::mem::take(&mut self.waiting).into_iter().map(|(_, ticket)| ticket);
        let tickets: Vec<Ticket> = waiting.chain(std::mem::take(&mut self.buffer)).collect();
        for ticket in tickets {
            self.hand_back(ticket, ReleaseCause::Unstarted);
        }
    }

    /// The delivery is not ours any more.
    pub(super) fn forget(&mut self, ticket: Ticket) {
        self.leave_slot(ticket);
        self.held.remove(&ticket);
    }

    /// Takes the slot from a delivery that has one.
    pub(super) fn leave_slot(&mut self, ticket: Ticket) {
        let Some(held) = self.held.get_mut(&ticket) else { return };
        if !held.has_slot() {
            return;
        }
        self.slots.give_back();
        if let Phase::Running(running) = &held.phase {
            self.alarms.disarm(ticket, &running.alarms);
        }
        held.phase = Phase::Buffered;
        if self.alone == Some(ticket) {
            self.alone = None;
        }
    }

    pub(super) fn revoke_one(&mut self, ticket: Ticket, now: Now) {
        let Some(held) = self.held.get_mut(&ticket) else { return };
        held.delivery.revoked = true;
        match &held.phase {
            Phase::Waiting(eta) => {
                let eta = *eta;
                self.waiting.remove(&(eta, ticket));
                self.end_without_run(ticket, Ending::Revoked, now);
            }
            Phase::Buffered => {
                self.buffer.retain(|other| *other != ticket);
                self.end_without_run(ticket, Ending::Revoked, now);
            }
            Phase::LookingUp => self.end_without_run(ticket, Ending::Revoked, now),
            // These look at the mark when their answer comes.
            Phase::Closing(_) | Phase::Registering | Phase::Acknowledging => {}
            Phase::Running(_) => self.revoke_running(ticket, now),
        }
    }

    fn revoke_running(&mut self, ticket: Ticket, now: Now) {
        self.tell(ticket, CancelReason::Revoked);
        match self.held.get(&ticket).map(Held::kind) {
            Some(RunKind::Process) => self.abort(ticket, now),
            Some(RunKind::Future) => self.arm_revoke_grace(ticket, now),
            Some(RunKind::Thread) | None => {}
        }
    }
}
