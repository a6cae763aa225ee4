//! From user code to the verdict: ends, time limits, and what does not end.

use std::time::Duration;

use cardoon_core::settle::{ReleaseCause, Verdict};

use super::alarms::Alarm;
use super::held::{Ending, Held, Phase, RunKind};
use super::verdict::{self, Limits};
use super::{Command, Content, Engine, Now, Outcome, Ticket};
use crate::{CancelReason, TaskError, WorkerExit};

/// How long a revoked asynchronous task may clean up before it is ended.
const REVOKE_GRACE: Duration = Duration::from_secs(5);

/// How long a task that was ended by force may take to end.
const PATIENCE: Duration = Duration::from_secs(1);

impl Engine {
    pub(super) fn ended(
        &mut self,
        ticket: Ticket,
        outcome: Outcome,
        jitter: f64,
        ran: Option<Duration>,
        now: Now,
    ) {
        if self.strays.remove(&ticket) {
            return self.slots.recover();
        }
        let Some(held) = self.held.get(&ticket) else { return };
        let Phase::Running(running) = &held.phase else { return };
        let (told, aborted, early) = (running.told, running.aborted, held.early);
        let ended_by_us = told == Some(CancelReason::TimeLimit) || told == Some(CancelReason::Revoked);
        if !matches!(outcome, Outcome::NotStarted | Outcome::CannotStart(_)) {
            // What its process did not live to finish says nothing of how fast tasks finish.
            if !matches!(outcome, Outcome::ChildDied(_)) {
                self.rate.record(ran.unwrap_or_else(|| now.boot.since(running.started)));
            }
            self.tries.forget(&held.delivery.message.id);
        }
        match outcome {
            Outcome::NotStarted => self.not_started(ticket, now),
            Outcome::CannotStart(why) => self.cannot_start(ticket, why, jitter, now),
            Outcome::Failed(_) | Outcome::Aborted | Outcome::ChildDied(_)
                if told == Some(CancelReason::Shutdown) =>
            {
                self.interrupt(ticket, now);
            }
            // The runtime that executed it is gone, which is no failure of the task.
            Outcome::Aborted if !aborted => self.interrupt(ticket, now),
            Outcome::ChildDied(_) if !early && !ended_by_us && !self.is_last_death(ticket) => {
                self.hand_back(ticket, ReleaseCause::ChildDied);
            }
            outcome => self.judge_end(ticket, outcome, jitter, now),
        }
    }

    /// User code has not begun and will not. If that is because slots were busy for longer than thought, nothing is known
    /// of their pace any more.
    fn not_started(&mut self, ticket: Ticket, now: Now) {
        self.rate.forget();
        if self.held.get(&ticket).is_some_and(|held| held.delivery.revoked) {
            self.leave_slot(ticket);
            return self.close(ticket, Ending::Revoked, now);
        }
        self.hand_back(ticket, ReleaseCause::Unstarted);
    }

    /// There is no thread or process for it now: it is put off, but not for ever.
    fn cannot_start(&mut self, ticket: Ticket, why: String, jitter: f64, now: Now) {
        let Some(held) = self.held.get(&ticket) else { return };
        if held.delivery.revoked {
            return self.not_started(ticket, now);
        }
        let id = &held.delivery.message.id;
        tracing::warn!(task.id = %id, why, "a task cannot be started");
        if self.tries.failed(id) {
            return self.put_off(ticket, now);
        }
        self.judge_end(ticket, Outcome::Failed(TaskError::new(TaskError::NOT_STARTED, why)), jitter, now);
    }

    /// A run of a worker that stops was called off, if it had not begun.
    pub(super) fn called_off(&mut self, ticket: Ticket, begun: bool, now: Now) {
        if begun {
            self.interrupt(ticket, now);
        } else {
            self.not_started(ticket, now);
        }
    }

    /// Arms the limits of a run; they count from here.
    pub(super) fn arm_limits(&mut self, ticket: Ticket, now: Now) {
        let Some(held) = self.held.get_mut(&ticket) else { return };
        let Content::Known { task, call } = &held.content else { return };
        let Phase::Running(running) = &mut held.phase else { return };
        let options = &task.definition.options;
        let soft = call.soft_time_limit.or(options.soft_time_limit);
        let hard = call.time_limit.or(options.time_limit);
        running.started = now.boot;
        for (limit, alarm) in [(soft, Alarm::SoftLimit), (hard, Alarm::HardLimit)] {
            if let Some(limit) = limit {
                self.alarms.arm(&mut running.alarms, ticket, now.boot.plus(limit), alarm);
            }
        }
    }

    pub(super) fn ring_alarms(&mut self, now: Now) {
        while let Some((ticket, alarm)) = self.alarms.pop_due(now.boot) {
            match alarm {
                Alarm::SoftLimit => self.tell(ticket, CancelReason::SoftTimeLimit),
                Alarm::HardLimit => self.end_by_limit(ticket, now),
                Alarm::RevokeGrace => self.abort(ticket, now),
                Alarm::Patience => self.write_off(ticket, now),
            }
        }
    }

    /// Tells a task to stop.
    pub(super) fn tell(&mut self, ticket: Ticket, reason: CancelReason) {
        if let Some(Held { phase: Phase::Running(running), .. }) = self.held.get_mut(&ticket) {
            running.told = Some(reason);
            self.command(Command::Cancel { ticket, reason });
        }
    }

    /// Ends a task by force; what does not end is written off soon.
    pub(super) fn abort(&mut self, ticket: Ticket, now: Now) {
        if let Some(Held { phase: Phase::Running(running), .. }) = self.held.get_mut(&ticket) {
            running.aborted = true;
        }
        self.command(Command::Abort(ticket));
        self.arm(ticket, now, PATIENCE, Alarm::Patience);
    }

    pub(super) fn arm_revoke_grace(&mut self, ticket: Ticket, now: Now) {
        self.arm(ticket, now, REVOKE_GRACE, Alarm::RevokeGrace);
    }

    fn end_by_limit(&mut self, ticket: Ticket, now: Now) {
        self.tell(ticket, CancelReason::TimeLimit);
        if self.held.get(&ticket).map(Held::kind) == Some(RunKind::Thread) {
            self.write_off(ticket, now);
            // Children of threads end with the last call that may go on.
            self.command(Command::Abort(ticket));
        } else {
            self.abort(ticket, now);
        }
    }

    /// Gives up a run that does not end: its verdict is given now, and its slot is gone until it ends after all.
    fn write_off(&mut self, ticket: Ticket, now: Now) {
        if !self.held.get(&ticket).is_some_and(|held| matches!(held.phase, Phase::Running(_))) {
            return;
        }
        self.judge_end(ticket, Outcome::Aborted, 1.0, now);
        self.slots.take();
        self.slots.write_off();
        self.strays.insert(ticket);
        if self.slots.too_few() {
            self.exit = WorkerExit::SlotsLost;
            self.drain(now);
        }
    }

    /// Gives the verdict of a run.
    fn judge_end(&mut self, ticket: Ticket, outcome: Outcome, jitter: f64, now: Now) {
        let Some(Held { phase: Phase::Running(running), .. }) = self.held.get(&ticket) else { return };
        let (started_at, told) = (running.started_at, running.told);
        self.leave_slot(ticket);
        let Some(held) = self.held.remove(&ticket) else { return };
        let limits =
            Limits { now: now.wall, started_at, jitter, max_result_bytes: self.config.max_result_bytes };
        let closed = if held.delivery.revoked {
            verdict::revoked(&held, &limits)
        } else {
            match outcome {
                Outcome::Succeeded(value) => verdict::success(&held, value, &limits),
                Outcome::Ignored => return self.settle_held_bare(ticket, held, Verdict::Ack),
                Outcome::Rejected { requeue: true, .. } => {
                    return self.settle_held_bare(ticket, held, Verdict::Defer { until: now.wall });
                }
                Outcome::Rejected { requeue: false, why } => verdict::rejected(&held, why, &limits),
                Outcome::Failed(error) => verdict::failure(&held, error, &limits),
                Outcome::ChildDied(how) if told != Some(CancelReason::TimeLimit) => {
                    verdict::child_died(&held, &how, &limits)
                }
                _ => verdict::failure(&held, time_limit_exceeded(&held), &limits),
            }
        };
        self.settle(ticket, held, closed, now);
    }

    /// Hands back a run that the worker's stop interrupts; one that was acknowledged early may not run again.
    pub(super) fn interrupt(&mut self, ticket: Ticket, now: Now) {
        let Some(held) = self.held.get(&ticket) else { return };
        let (Phase::Running(running), true) = (&held.phase, held.early) else {
            return self.hand_back(ticket, ReleaseCause::Interrupted);
        };
        let started_at = running.started_at;
        self.leave_slot(ticket);
        let Some(held) = self.held.remove(&ticket) else { return };
        let limits = Limits { now: now.wall, started_at, jitter: 0.0, max_result_bytes: usize::MAX };
        let closed = verdict::outcome_unknown(&held, &limits);
        self.settle(ticket, held, closed, now);
    }

    fn is_last_death(&self, ticket: Ticket) -> bool {
        let deaths = self.held.get(&ticket).map_or(0, |held| held.delivery.deaths);
        deaths + 1 >= cardoon_core::rescue::POISON_DEATHS
    }

    fn arm(&mut self, ticket: Ticket, now: Now, after: Duration, alarm: Alarm) {
        if let Some(Held { phase: Phase::Running(running), .. }) = self.held.get_mut(&ticket) {
            self.alarms.arm(&mut running.alarms, ticket, now.boot.plus(after), alarm);
        }
    }
}

fn time_limit_exceeded(held: &Held) -> TaskError {
    let limit = match &held.content {
        Content::Known { task, call } => call.time_limit.or(task.definition.options.time_limit),
        _ => None,
    };
    let text = match limit {
        Some(limit) => format!("the task did not end within its time limit of {} s", limit.as_secs_f64()),
        None => "the task was ended by force".to_owned(),
    };
    TaskError::new(TaskError::TIME_LIMIT, text)
}
