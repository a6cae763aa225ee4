//! How a worker leaves: it drains, then interrupts, then waits for its last verdicts.

use std::time::Duration;

use cardoon_core::BootInstant;
use cardoon_core::settle::ReleaseCause;

use super::held::{Held, Phase};
use super::{Command, Engine, Now, Ticket};
use crate::CancelReason;

/// How long tasks that were told to stop may take before they are interrupted.
const LAST_CALL: Duration = Duration::from_secs(1);

/// How long the last verdicts may take to be stored. What is not stored then is handed back by the store.
const SETTLE_PATIENCE: Duration = Duration::from_secs(5);

/// How far the worker's end is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Working,
    /// Running tasks may end until then.
    Draining {
        until: BootInstant,
    },
    /// Running tasks were told to stop, and may do so until then.
    Interrupting {
        until: BootInstant,
    },
    /// Nothing runs; verdicts may be stored until then.
    Leaving {
        until: BootInstant,
    },
    Finished,
}

impl Stage {
    pub(super) fn until(self) -> Option<BootInstant> {
        match self {
            Self::Working | Self::Finished => None,
            Self::Draining { until } | Self::Interrupting { until } | Self::Leaving { until } => Some(until),
        }
    }
}

impl Engine {
    pub(super) fn drain(&mut self, now: Now) {
        if self.stage == Stage::Working {
            self.stage = Stage::Draining { until: now.boot.plus(self.config.grace) };
            self.take_nothing_new();
        }
    }

    /// Interrupts what runs and hands everything back.
    pub(super) fn stop(&mut self, now: Now) {
        if matches!(self.stage, Stage::Leaving { .. } | Stage::Finished) {
            return;
        }
        self.stage = Stage::Leaving { until: now.boot.plus(SETTLE_PATIENCE) };
        self.take_nothing_new();
        for ticket in self.tickets(|held| matches!(held.phase, Phase::Running(_))) {
            self.tell(ticket, CancelReason::Shutdown);
            self.stop_run(ticket, now);
        }
        for ticket in self.tickets(|held| matches!(held.phase, Phase::Registering | Phase::Closing(_))) {
            self.hand_back(ticket, ReleaseCause::Unstarted);
        }
    }

    /// Whether a run that was acknowledged early may run again depends on whether it has begun.
    fn stop_run(&mut self, ticket: Ticket, now: Now) {
        let early = self.held.get(&ticket).is_some_and(|held| held.early);
        if early {
            self.command(Command::CallOff(ticket));
        }
        self.command(Command::Abort(ticket));
        if !early {
            self.interrupt(ticket, now);
        }
    }

    pub(super) fn advance_shutdown(&mut self, now: Now) {
        if self.stage.until().is_none_or(|until| until > now.boot) {
            return;
        }
        match self.stage {
            Stage::Draining { .. } => {
                self.stage = Stage::Interrupting { until: now.boot.plus(LAST_CALL) };
                for ticket in self.tickets(|held| matches!(held.phase, Phase::Running(_))) {
                    self.tell(ticket, CancelReason::Shutdown);
                }
            }
            Stage::Interrupting { .. } => self.stop(now),
            Stage::Leaving { .. } => self.say_finished(),
            Stage::Working | Stage::Finished => {}
        }
    }

    /// Says once that the worker may end.
    pub(super) fn finish(&mut self) {
        let leaving = !matches!(self.stage, Stage::Working | Stage::Finished);
        if leaving && self.held.is_empty() && self.settling.is_empty() {
            self.say_finished();
        }
    }

    fn say_finished(&mut self) {
        self.stage = Stage::Finished;
        self.command(Command::Finish(self.exit));
    }

    fn take_nothing_new(&mut self) {
        self.command(Command::StopClaiming);
        self.hand_back_unstarted();
        for ticket in self.tickets(|held| matches!(held.phase, Phase::LookingUp)) {
            self.hand_back(ticket, ReleaseCause::Unstarted);
        }
    }

    fn tickets(&self, meant: impl Fn(&Held) -> bool) -> Vec<Ticket> {
        let mut tickets: Vec<Ticket> =
            self.held.iter().filter(|(_, held)| meant(held)).map(|(ticket, _)| *ticket).collect();
        tickets.sort_unstable();
        tickets
    }
}
