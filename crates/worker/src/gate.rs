//! Whether leases are fresh enough to begin user code, asked at the last moment.

use std::sync::atomic::{AtomicU64, Ordering};

use cardoon_core::BootInstant;
use cardoon_runtime::Clock;

/// Shared by the heartbeat, which moves it, and the executors, which ask it.
#[derive(Debug)]
pub(crate) struct Gate {
    clock: Clock,
    start_before: AtomicU64,
}

impl Gate {
    pub(crate) fn new(clock: Clock, start_before: BootInstant) -> Self {
        Self { clock, start_before: AtomicU64::new(start_before.0) }
    }

    pub(crate) fn extend(&self, start_before: BootInstant) {
        self.start_before.fetch_max(start_before.0, Ordering::AcqRel);
    }

    /// A process that was paused beyond its lease finds this closed, whatever it was about to do.
    pub(crate) fn may_start(&self) -> bool {
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
    fn a_pause_beyond_the_lease_closes_the_gate_until_the_next_heartbeat() {
        let manual = ManualClock::new(Timestamp(0));
        let clock = Clock::manual(&manual);
        let gate = Gate::new(clock.clone(), clock.boot().plus(Duration::from_secs(15)));
        assert!(gate.may_start());
        manual.advance(Duration::from_secs(15));
        assert!(!gate.may_start());
        gate.extend(clock.boot().plus(Duration::from_secs(15)));
        assert!(gate.may_start());
    }
}
