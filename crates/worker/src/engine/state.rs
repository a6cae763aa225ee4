//! The engine's state, what it does with each event, and what it does when time has passed.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::time::Duration;

use cardoon_broker::Settled;
use cardoon_core::{BootInstant, Event as Happening, TaskId, Timestamp};
use cardoon_results::Begun;

use super::alarms::Alarms;
use super::held::{Held, Phase};
use super::rate::Rate;
use super::refusal::{GivenBack, Settling};
use super::report::Reporter;
use super::scale::Scale;
use super::shutdown::Stage;
use super::slots::Slots;
use super::tries::Tries;
use super::{Answer, Arrival, Command, Config, Event, Now, Ticket};
use crate::WorkerExit;

/// Claims stop while this many deliveries are held that do not run, or have verdicts that are not stored, so that a store
/// that stalls does not fill the memory.
const MOST_IDLE: usize = 2048;

/// A revoke is told this much earlier, at most, than the claim is answered that had taken the task before.
const REVOKE_OVERTAKES: Duration = Duration::from_secs(2);

/// The state machine of a worker.
#[derive(Debug)]
pub struct Engine {
    pub(super) config: Config,
    pub(super) stage: Stage,
    pub(super) slots: Slots,
    pub(super) rate: Rate,
    pub(super) scale: Option<Scale>,
    /// Everything that was claimed and has no verdict.
    pub(super) held: HashMap<Ticket, Held>,
    /// What could start now, in the order of its arrival.
    pub(super) buffer: VecDeque<Ticket>,
    /// What may start within the next seconds.
    pub(super) waiting: BTreeSet<(Timestamp, Ticket)>,
    /// Verdicts that are not stored yet.
    pub(super) settling: HashMap<Ticket, Settling>,
    pub(super) given_back: GivenBack,
    /// Runs that were written off and have not ended.
    pub(super) strays: HashSet<Ticket>,
    pub(super) alarms: Alarms,
    pub(super) tries: Tries,
    pub(super) start_before: BootInstant,
    /// A task that is blamed for a death runs: nothing else may.
    pub(super) alone: Option<Ticket>,
    pub(super) reporter: Reporter,
    /// What is said when all is done.
    pub(super) exit: WorkerExit,
    /// When the claim that is under way was asked for.
    claiming: Option<BootInstant>,
    /// What was revoked and is not held, and when: a claim that is under way may have taken it before.
    revoked: Vec<(BootInstant, TaskId)>,
    last_ticket: u64,
    commands: Vec<Command>,
}

impl Engine {
    /// `start_before`: until then the first heartbeat allows to start deliveries.
    pub fn new(config: Config, start_before: BootInstant) -> Self {
        Self {
            slots: Slots::new(config.slots),
            reporter: Reporter::new(&config.worker),
            stage: Stage::Working,
            rate: Rate::default(),
            scale: config.autoscale.map(|(least, most)| Scale::new(least, most)),
            held: HashMap::new(),
            buffer: VecDeque::new(),
            waiting: BTreeSet::new(),
            settling: HashMap::new(),
            given_back: GivenBack::default(),
            strays: HashSet::new(),
            alarms: Alarms::default(),
            tries: Tries::default(),
            alone: None,
            exit: WorkerExit::Drained,
            claiming: None,
            revoked: Vec::new(),
            last_ticket: 0,
            commands: Vec::new(),
            start_before,
            config,
        }
    }

    /// Whether somebody wants to know what happens to tasks.
    pub fn watch(&mut self, watched: bool) {
        self.reporter.watched = watched;
    }

    /// Takes one event. Call [`Engine::advance`] when a batch of them has been taken.
    pub fn apply(&mut self, event: Event, now: Now) {
        match event {
            Event::Claimed(arrivals) => self.claimed(arrivals, now),
            Event::LookedUp { ticket, known } => self.looked_up(ticket, known, now),
            Event::Begun { ticket, begun } => self.begun(ticket, begun, now),
            Event::NotBegun(ticket) => self.put_off(ticket, now),
            Event::Began(ticket) => self.arm_limits(ticket, now),
            Event::Ended { ticket, outcome, jitter, ran } => self.ended(ticket, outcome, jitter, ran, now),
            Event::CalledOff { ticket, begun } => self.called_off(ticket, begun, now),
            Event::Settled(answers) => {
                for (ticket, answer) in answers {
                    self.settled(ticket, answer, now);
                }
            }
            Event::Revoked(ids) => self.revoke(&ids, now),
            Event::Beat(start_before) => self.beat(start_before, now),
            Event::Drain => self.drain(now),
            Event::Stop => self.stop(now),
        }
    }

    /// Does what the time asks for, starts what can be started and claims what can be claimed.
    pub fn advance(&mut self, now: Now) {
        self.ring_alarms(now);
        self.advance_shutdown(now);
        self.take_due(now);
        if !self.may_start(now) {
            self.hand_back_unstarted();
        }
        if self.config.reads_ahead {
            self.slots.read_ahead(self.rate.ahead(self.slots.usable()));
        }
        while let Some(ticket) = self.next_startable() {
            self.prepare(ticket, now);
        }
        self.recall(now);
        self.rescale(now);
        self.claim(now);
        self.finish();
    }

    /// When [`Engine::advance`] must be called even if nothing happens.
    pub fn next_deadline(&self, now: Now) -> Option<BootInstant> {
        let waiting = self.waiting.first().map(|(eta, _)| now.boot.plus(eta.since(now.wall)));
        [
            self.alarms.next(),
            self.stage.until(),
            self.next_recall(),
            self.next_rescale(),
            self.reporter.next(),
            waiting,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Takes what is to be done, in order.
    pub fn take_commands(&mut self) -> Vec<Command> {
        std::mem::take(&mut self.commands)
    }

    /// Takes what is to be told by now.
    pub fn take_happenings(&mut self, now: Now) -> Vec<Happening> {
        if self.stage == Stage::Finished {
            self.reporter.end_window();
        }
        self.reporter.take(now)
    }

    pub(super) fn command(&mut self, command: Command) {
        self.commands.push(command);
    }

    pub(super) fn next_ticket(&mut self) -> Ticket {
        self.last_ticket += 1;
        Ticket(self.last_ticket)
    }

    /// Whether leases are fresh enough to begin user code.
    pub(super) fn may_start(&self, now: Now) -> bool {
        now.boot < self.start_before
    }

    /// How many more deliveries the engine wants: free slots and what is finished soon, less what waits already.
    pub(super) fn credit(&self) -> usize {
        self.room().saturating_sub(self.buffer.len())
    }

    fn room(&self) -> usize {
        self.slots.free() + self.rate.extra(self.slots.usable())
    }

    /// Claims when slots would run dry, or when half of the room is free: many small claims cost more than few.
    fn claim(&mut self, now: Now) {
        let credit = self.credit();
        let worth_it = self.buffer.is_empty() || credit * 2 >= self.room();
        let possible = self.claiming.is_none() && self.stage == Stage::Working && self.may_start(now);
        if possible && credit > 0 && worth_it && !self.wants_quiet() && self.idle() < MOST_IDLE {
            self.claiming = Some(now.boot);
            self.command(Command::Claim(credit));
        }
    }

    /// Deliveries that wait for a slot, for their time, or for an answer of the store.
    fn idle(&self) -> usize {
        self.held.len().saturating_sub(self.slots.busy()) + self.settling.len()
    }

    fn claimed(&mut self, arrivals: Vec<Arrival>, now: Now) {
        let since = self.claiming.take().unwrap_or(BootInstant(0));
        let mut revoked = std::mem::take(&mut self.revoked);
        revoked.retain(|(told, _)| now.boot.since(*told) < REVOKE_OVERTAKES);
        for mut arrival in arrivals {
            let id = &arrival.delivery.message.id;
            arrival.delivery.revoked |= revoked.iter().any(|(_, other)| other == id);
            self.admit(arrival, since, now);
        }
    }

    /// The leases were renewed, unless they had lapsed: then others may have taken what has not begun.
    fn beat(&mut self, start_before: BootInstant, now: Now) {
        if !self.may_start(now) {
            self.hand_back_unstarted();
        }
        self.start_before = start_before;
    }

    fn begun(&mut self, ticket: Ticket, begun: Begun, now: Now) {
        let Some(held) = self.held.get_mut(&ticket) else { return };
        let ending = match std::mem::replace(&mut held.phase, Phase::Buffered) {
            Phase::Registering => None,
            Phase::Closing(ending) => Some(ending),
            other => {
                held.phase = other;
                return;
            }
        };
        if ending.is_none() {
            held.phase = Phase::Registering;
        }
        match (begun, ending) {
            (Begun::Ended | Begun::Superseded, _) => self.drop_finished(ticket),
            (Begun::Run(run), Some(ending)) => {
                held.run = run;
                self.close(ticket, ending, now);
            }
            (Begun::Run(run), None) => {
                held.run = run;
                self.registered(ticket, now);
            }
        }
    }

    fn settled(&mut self, ticket: Ticket, answer: Answer, now: Now) {
        if let Some(held) = self.held.get(&ticket) {
            if matches!(held.phase, Phase::Acknowledging) {
                self.acknowledged(ticket, answer, now);
            }
            return;
        }
        let Some(settling) = self.settling.remove(&ticket) else { return };
        match answer {
            Answer::Settled(Settled::Done) => self.reporter.tell_end(settling.tidings, &settling.held, now),
            Answer::Settled(Settled::LeaseLost | Settled::StaleRun) => {}
            Answer::Refused(error) => self.refused(ticket, settling, &error, now),
        }
    }

    fn revoke(&mut self, ids: &[TaskId], now: Now) {
        for id in ids {
            let meant = |held: &Held| held.delivery.message.id == *id;
            let tickets: Vec<Ticket> =
                self.held.iter().filter(|(_, held)| meant(held)).map(|(ticket, _)| *ticket).collect();
            if tickets.is_empty() && self.claiming.is_some() {
                self.revoked.push((now.boot, id.clone()));
            }
            for ticket in tickets {
                self.revoke_one(ticket, now);
            }
        }
    }
}
