//! From the claim to user code.

use std::time::Duration;

use cardoon_broker::{Settle, Settled};
use cardoon_core::settle::{ReleaseCause, Verdict};
use cardoon_core::{BootInstant, DeadReason, EventKind, RunNumber, TaskFailure};

use super::close::Judgement;
use super::held::{Ending, Held, Phase, Running};
use super::shutdown::Stage;
use super::{Answer, Arrival, Command, Content, Engine, Now, Start, Ticket};

/// A task whose time comes within this is kept; one that is further away waits in the broker.
pub(super) const KEPT_AHEAD: Duration = Duration::from_secs(2);

/// No more tasks than this are kept for their time.
pub(super) const MOST_WAITING: usize = 256;

/// How long a delivery is put off that only other workers know, or whose run cannot be registered.
const PUT_OFF: Duration = Duration::from_secs(1);

/// A delivery that must run alone keeps its worker from taking anything else while the running tasks end, no longer
/// than this; then it is put off, so that one long task does not idle a worker.
const ALONE_PATIENCE: Duration = Duration::from_secs(2);
const ALONE_PUT_OFF: Duration = Duration::from_secs(5);

impl Engine {
    pub(super) fn admit(&mut self, arrival: Arrival, since: BootInstant, now: Now) {
        let ticket = self.next_ticket();
        let Arrival { delivery, content } = arrival;
        let held = Held {
            worker: self.config.worker.clone(),
            phase: Phase::Buffered,
            run: RunNumber::FIRST,
            early: false,
            since,
            arrived_at: now.boot,
            delivery,
            content,
        };
        self.reporter.tell(EventKind::TaskReceived, &held, now);
        self.held.insert(ticket, held);
        if self.stage == Stage::Working {
            self.place(ticket, now);
        } else {
            self.hand_back(ticket, ReleaseCause::Unstarted);
        }
    }

    /// Puts a delivery that has just arrived where it belongs.
    fn place(&mut self, ticket: Ticket, now: Now) {
        let kept = self.waiting.len() < MOST_WAITING;
        let Some(held) = self.held.get_mut(&ticket) else { return };
        match super::close::judge(held, now.wall, kept) {
            Judgement::End(ending) => self.end_without_run(ticket, ending, now),
            Judgement::Defer(until) => self.settle_bare(ticket, Verdict::Defer { until }),
            Judgement::LookUp(task) => {
                held.phase = Phase::LookingUp;
                let queue = held.delivery.queue.clone();
                self.command(Command::LookUp { ticket, queue, task });
            }
            Judgement::Wait(eta) => {
                held.phase = Phase::Waiting(eta);
                self.waiting.insert((eta, ticket));
            }
            Judgement::Start => self.buffer.push_back(ticket),
        }
    }

    pub(super) fn looked_up(&mut self, ticket: Ticket, known: bool, now: Now) {
        let Some(held) = self.held.get(&ticket) else { return };
        let (Phase::LookingUp, Content::Unknown { task, .. }) = (&held.phase, &held.content) else { return };
        if known {
            return self.put_off(ticket, now);
        }
        let queue = &held.delivery.queue;
        let text = format!("no live worker of queue {queue} knows a task named {task}");
        let failure = TaskFailure::new("UnknownTask", text);
        self.end_without_run(ticket, Ending::Dead(DeadReason::UnknownTask, failure), now);
    }

    /// Puts off a delivery that cannot be executed here now; that is no attempt.
    pub(super) fn put_off(&mut self, ticket: Ticket, now: Now) {
        self.leave_slot(ticket);
        self.settle_bare(ticket, Verdict::Defer { until: now.wall.plus(PUT_OFF) });
    }

    /// Moves what has come to its time to the front of the buffer.
    pub(super) fn take_due(&mut self, now: Now) {
        while let Some((eta, ticket)) = self.waiting.first().copied() {
            if eta > now.wall {
                return;
            }
            self.waiting.pop_first();
            if let Some(held) = self.held.get_mut(&ticket) {
                held.phase = Phase::Buffered;
                held.arrived_at = now.boot;
                self.buffer.push_back(ticket);
            }
        }
    }

    /// The next delivery that may have a slot now.
    pub(super) fn next_startable(&mut self) -> Option<Ticket> {
        if self.slots.free() == 0 || self.alone.is_some() {
            return None;
        }
        let ticket = *self.buffer.front()?;
        let alone = self.held.get(&ticket).is_some_and(Held::runs_alone);
        if alone && self.slots.busy() > 0 {
            return None;
        }
        self.alone = alone.then_some(ticket);
        self.buffer.pop_front()
    }

    /// Whether nothing new should come, because a blamed task runs alone or waits until it can.
    pub(super) fn wants_quiet(&self) -> bool {
        let next = self.buffer.front().and_then(|ticket| self.held.get(ticket));
        self.alone.is_some() || next.is_some_and(Held::runs_alone)
    }

    /// Gives a delivery a slot, and registers its run if it may not be the first one.
    pub(super) fn prepare(&mut self, ticket: Ticket, now: Now) {
        self.slots.take();
        let Some(held) = self.held.get_mut(&ticket) else { return };
        held.phase = Phase::Registering;
        if held.delivery.must_register() {
            let (id, attempt) = (held.delivery.message.id.clone(), held.delivery.message.attempt);
            self.command(Command::Begin { ticket, id, attempt });
        } else {
            self.registered(ticket, now);
        }
    }

    /// The run has its number. What has happened since the claim is looked at once more.
    pub(super) fn registered(&mut self, ticket: Ticket, now: Now) {
        let may_start = self.may_start(now) && self.stage == Stage::Working;
        let Some(held) = self.held.get_mut(&ticket) else { return };
        if let Some(ending) = super::close::overdue(held, now.wall) {
            self.leave_slot(ticket);
            self.close(ticket, ending, now);
        } else if !may_start {
            self.hand_back(ticket, ReleaseCause::Unstarted);
        } else if held.acks_early() {
            held.phase = Phase::Acknowledging;
            let settle = Box::new(Settle::bare(held.delivery.lease, Verdict::AckEarly));
            self.command(Command::Settle { ticket, settle, trace: None });
        } else {
            self.start(ticket, now);
        }
    }

    pub(super) fn acknowledged(&mut self, ticket: Ticket, answer: Answer, now: Now) {
        match answer {
            Answer::Settled(Settled::Done) => {
                if let Some(held) = self.held.get_mut(&ticket) {
                    held.early = true;
                }
                self.start_early(ticket, now);
            }
            Answer::Settled(Settled::LeaseLost | Settled::StaleRun) => self.forget(ticket),
            Answer::Refused(error) => self.refused_early(ticket, &error, now),
        }
    }

    /// What has happened since the acknowledgement was asked for is looked at once more.
    fn start_early(&mut self, ticket: Ticket, now: Now) {
        let ending = self.held.get(&ticket).and_then(|held| super::close::overdue(held, now.wall));
        if let Some(ending) = ending {
            self.leave_slot(ticket);
            self.close(ticket, ending, now);
        } else if self.stage != Stage::Working || !self.may_start(now) {
            self.hand_back(ticket, ReleaseCause::Unstarted);
        } else {
            self.start(ticket, now);
        }
    }

    fn start(&mut self, ticket: Ticket, now: Now) {
        let Some(held) = self.held.get_mut(&ticket) else { return };
        let Content::Known { task, call } = &held.content else { return };
        let options = &task.definition.options;
        let message = &held.delivery.message;
        let start = Start {
            ticket,
            lease: held.delivery.lease,
            since: held.since,
            task: task.clone(),
            call: call.clone(),
            id: message.id.clone(),
            queue: held.delivery.queue.clone(),
            attempt: message.attempt,
            run: held.run,
            redelivered: held.delivery.redelivered,
            soft_time_limit: call.soft_time_limit.or(options.soft_time_limit),
            time_limit: call.time_limit.or(options.time_limit),
            message: task.runs_elsewhere().then(|| message.clone()),
        };
        held.phase = Phase::Running(Running {
            started_at: now.wall,
            started: now.boot,
            alarms: Vec::new(),
            told: None,
            aborted: false,
        });
        self.reporter.tell(EventKind::TaskStarted, held, now);
        self.command(Command::Start(Box::new(start)));
    }

    /// Hands back what has been waiting too long behind busy slots, so that idle workers get it.
    pub(super) fn recall(&mut self, now: Now) {
        if self.next_recall().is_none_or(|next| next > now.boot) {
            return;
        }
        self.rate.forget();
        for ticket in std::mem::take(&mut self.buffer) {
            let held = &self.held[&ticket];
            if self.recalled_at(held) > now.boot {
                self.buffer.push_back(ticket);
            } else if held.runs_alone() {
                self.settle_bare(ticket, Verdict::Defer { until: now.wall.plus(ALONE_PUT_OFF) });
            } else {
                self.hand_back(ticket, ReleaseCause::Unstarted);
            }
        }
    }

    /// When the next delivery that waits for a slot is handed back: the first one that holds the others up, or the
    /// oldest that may run beside others.
    pub(super) fn next_recall(&self) -> Option<BootInstant> {
        let mut waiting = self.buffer.iter().filter_map(|ticket| self.held.get(ticket));
        let first = waiting.clone().next()?;
        let oldest = waiting.find(|held| !held.runs_alone());
        [Some(first), oldest].into_iter().flatten().map(|held| self.recalled_at(held)).min()
    }

    fn recalled_at(&self, held: &Held) -> BootInstant {
        let patience = if held.runs_alone() { ALONE_PATIENCE } else { self.config.recall };
        held.arrived_at.plus(patience)
    }
}
