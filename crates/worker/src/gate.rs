//! Whether leases are fresh enough to begin user code, asked at the last moment.

use std::sync::atomic::{AtomicU64, Ordering};

use cardoon_core::BootInstant;
use cardoon_runtime::Clock;

/// Shared by the heartbeat, which moves it, and the executors, which ask it.
#[derive(Debug)]
pub(crate) struct Gate {
    clock: Clock,
    start_before: AtomicU64,
    /// Counts how often it was found closed by a heartbeat.
    lapses: AtomicU64,
}

/// Leave to start, as long as leases do not lapse in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pass(u64);

impl Gate {
    pub(crate) fn new(clock: Clock, start_before: BootInstant) -> Self {
        Self { clock, start_before: AtomicU64::new(start_before.0), lapses: AtomicU64::new(0) }
    }

    pub(crate) fn extend(&self, start_before: BootInstant) {
        if !self.is_open() {
            self.lapses.fetch_add(1, Ordering::AcqRel);
        }
        self.start_before.fetch_max(start_before.0, Ordering::AcqRel);
    }

    pub(crate) fn pass(&self) -> Pass {
        Pass(self.lapses.load(Ordering::Acquire))
    }

    /// A process that was paused beyond its lease finds this closed, whatever it was about to do, also when a
    /// heartbeat came first: others may have taken what it held.
    pub(crate) fn may_start(&self, pass: Pass) -> bool {
        self.is_open() && self.pass() == pass
    }

    fn is_open(&self) -> bool {
        self.clock.boot().0 < self.start_before.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cardoon_core::Timestamp;
    use cardoon_runtime::ManualClock;
    use std::time::Duration;

    #[test]
    fn a_pause_beyond_the_lease_closes_the_gate_for_good_to_those_who_came_before_it() {
        let manual = ManualClock::new(Timestamp(0));
        let clock = Clock::manual(&manual);
        let gate = Gate::new(clock.clone(), clock.boot().plus(Duration::from_secs(15)));
        let pass = gate.pass();
        assert!(gate.may_start(pass));
        manual.advance(Duration::from_secs(14));
        gate.extend(clock.boot().plus(Duration::from_secs(15)));
        assert!(gate.may_start(pass), "a heartbeat in time changes nothing");
        manual.advance(Duration::from_secs(15));
        assert!(!gate.may_start(pass));
        gate.extend(clock.boot().plus(Duration::from_secs(15)));
        assert!(!gate.may_start(pass));
        assert!(gate.may_start(gate.pass()));
    }
}
