//! The times at which something is due for a running task.

use std::collections::BTreeSet;

use cardoon_core::BootInstant;

use super::Ticket;

/// What is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Alarm {
    /// Tell the task that its time is over.
    SoftLimit,
    /// End the task.
    HardLimit,
    /// The task was told that it is revoked, and has had its time to end by itself.
    RevokeGrace,
    /// The task was ended by force and did not end: give it up.
    Patience,
}

/// All alarms in the order of their times.
#[derive(Debug, Default)]
pub(super) struct Alarms(BTreeSet<(BootInstant, Ticket, Alarm)>);

/// The alarms of one run, so that they can be unset when it ends.
pub(super) type Armed = Vec<(BootInstant, Alarm)>;

impl Alarms {
    pub(super) fn arm(&mut self, armed: &mut Armed, ticket: Ticket, at: BootInstant, alarm: Alarm) {
        armed.push((at, alarm));
        self.0.insert((at, ticket, alarm));
    }

    pub(super) fn disarm(&mut self, ticket: Ticket, armed: &Armed) {
        for (at, alarm) in armed {
            self.0.remove(&(*at, ticket, *alarm));
        }
    }

    pub(super) fn next(&self) -> Option<BootInstant> {
        self.0.first().map(|(at, ..)| *at)
    }

    pub(super) fn pop_due(&mut self, now: BootInstant) -> Option<(Ticket, Alarm)> {
        if self.next()? > now {
            return None;
        }
        self.0.pop_first().map(|(_, ticket, alarm)| (ticket, alarm))
    }
}
