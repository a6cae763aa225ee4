//! Leases: who may work on a delivery now, and for how long.
//!
//! A worker's one heartbeat extends all its leases, so a lease has no end of its own: it lives as long as its
//! holder's last heartbeat is younger than [`LeaseTerms::lease`]. All times here are of the boot-time clock.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::BootInstant;

/// The right of one worker to settle one delivery. Two leases are never equal, so an old one proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Lease {
    /// The holder's session. Grows with each session that a store opens, so it is the holder's epoch too.
    pub session: u64,
    /// Counts the session's leases.
    pub sequence: u64,
    /// The store's own key of the delivery.
    pub tag: u64,
}

/// How long leases live. The defaults are 15 s, renewed every 3 s.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseTerms {
    pub lease: Duration,
    pub heartbeat: Duration,
}

impl Default for LeaseTerms {
    fn default() -> Self {
        Self { lease: Duration::from_secs(15), heartbeat: Duration::from_secs(3) }
    }
}

impl LeaseTerms {
    /// Whether a worker that misses two heartbeats in a row keeps its leases. On other terms the living look lost.
    pub fn are_sound(&self) -> bool {
        !self.heartbeat.is_zero() && self.heartbeat.saturating_mul(3) <= self.lease
    }

    /// Whether a worker whose last heartbeat was at `beat` may start a delivery that it holds.
    pub fn may_start(&self, beat: BootInstant, now: BootInstant) -> bool {
        now.since(beat) < self.lease
    }

    /// Whether a worker whose last heartbeat was at `beat` has lost its leases, in the eyes of a rescuer that has
    /// seen the store answer without a stall since `answering_since`.
    ///
    /// The second condition protects the living: while the store stalls, heartbeats stall too, and silence
    /// proves nothing until the store has been answering for one whole lease.
    pub fn has_lapsed(&self, beat: BootInstant, answering_since: BootInstant, now: BootInstant) -> bool {
        now.since(beat) >= self.lease && now.since(answering_since) >= self.lease
    }
}

/// What a rescuer knows of its store's answers, for [`LeaseTerms::has_lapsed`].
///
/// A sweep that comes or answers late means that the store stalled, or that the rescuer did, and with it perhaps
/// the whole machine; then silence has to be watched anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watch {
    since: BootInstant,
    last: BootInstant,
}

/// A sweep that comes within this is not late, however short the heartbeat is: sweeps come every 0.25 s.
const LATE: Duration = Duration::from_secs(1);

impl Watch {
    /// Begins to watch.
    pub fn new(now: BootInstant) -> Self {
        Self { since: now, last: now }
    }

    /// The rescuer's own last heartbeat was at `beat`. Where nothing can be written and everything can be read, its sweeps
    /// are answered in time while the heartbeats of all are held up, its own among them.
    pub fn beaten(&mut self, beat: BootInstant, now: BootInstant, terms: &LeaseTerms) {
        if now.since(beat) >= terms.heartbeat.max(LATE) * 2 {
            self.since = now;
        }
    }

    /// A sweep has been answered. Returns since when the store has been answering without a stall.
    pub fn answered(&mut self, now: BootInstant, terms: &LeaseTerms) -> BootInstant {
        if now.since(self.last) >= terms.heartbeat.max(LATE) {
            self.since = now;
        }
        self.last = now;
        self.since
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TERMS: LeaseTerms =
        LeaseTerms { lease: Duration::from_secs(15), heartbeat: Duration::from_secs(3) };

    fn at(secs: u64) -> BootInstant {
        BootInstant(secs * 1000)
    }

    #[test]
    fn a_holder_stops_starting_when_a_rescuer_may_begin() {
        assert!(TERMS.may_start(at(100), at(114)));
        assert!(!TERMS.may_start(at(100), at(115)));
        assert!(!TERMS.has_lapsed(at(100), at(0), at(114)));
        assert!(TERMS.has_lapsed(at(100), at(0), at(115)));
    }

    #[test]
    fn terms_are_sound_if_two_heartbeats_may_be_missed() {
        assert!(LeaseTerms::default().are_sound());
        assert!(!LeaseTerms { lease: Duration::from_secs(8), ..TERMS }.are_sound());
        assert!(!LeaseTerms { heartbeat: Duration::ZERO, ..TERMS }.are_sound());
    }

    #[test]
    fn silence_proves_nothing_within_a_lease_of_a_stall() {
        assert!(!TERMS.has_lapsed(at(100), at(110), at(124)));
        assert!(TERMS.has_lapsed(at(100), at(110), at(125)));
    }

    #[test]
    fn a_late_sweep_makes_the_rescuer_watch_anew() {
        let mut watch = Watch::new(at(100));
        assert_eq!(watch.answered(at(102), &TERMS), at(100));
        assert_eq!(watch.answered(at(110), &TERMS), at(110));
        assert_eq!(watch.answered(at(112), &TERMS), at(110));
    }

    #[test]
    fn a_rescuer_whose_own_heartbeat_is_late_watches_anew() {
        let mut watch = Watch::new(at(100));
        watch.beaten(at(100), at(105), &TERMS);
        assert_eq!(watch.answered(at(102), &TERMS), at(100));
        watch.beaten(at(100), at(106), &TERMS);
        assert_eq!(watch.answered(at(104), &TERMS), at(106));
    }
}
