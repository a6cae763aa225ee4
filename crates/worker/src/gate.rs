//! Whether leases are fresh enough to begin user code, asked at the last moment.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use cardoon_core::BootInstant;
use cardoon_runtime::Clock;

/// Shared by the heartbeat, which moves it, and the executors, which ask it.
pub(crate) struct Gate {
    clock: Clock,
    start_before: AtomicU64,
    /// Leases that are not older than this have not lapsed.
    open_since: AtomicU64,
    shut: AtomicBool,
    /// Hears when it has moved.
    listener: OnceLock<Listener>,
}

/// Takes until when user code may begin, and since when leases have not lapsed, in boot-time milliseconds.
type Listener = Box<dyn Fn(u64, u64) + Send + Sync>;

impl Gate {
    pub(crate) fn new(clock: Clock, start_before: BootInstant) -> Self {
        Self {
            clock,
            start_before: AtomicU64::new(start_before.0),
            open_since: AtomicU64::new(0),
            shut: AtomicBool::new(false),
            listener: OnceLock::new(),
        }
    }

    pub(crate) fn extend(&self, start_before: BootInstant) {
        let now = self.clock.boot();
        if now.0 >= self.start_before.load(Ordering::SeqCst) {
            self.open_since.fetch_max(now.0, Ordering::SeqCst);
        }
        self.start_before.fetch_max(start_before.0, Ordering::SeqCst);
        self.say();
    }

    /// Tells `listener` where it stands, now and whenever it has moved. For those who cannot ask at the last moment.
    pub(crate) fn tell(&self, listener: impl Fn(u64, u64) + Send + Sync + 'static) {
        // There is one listener a worker.
        let _ = self.listener.set(Box::new(listener));
        self.say();
    }

    fn say(&self) {
        if let Some(listener) = self.listener.get() {
            let start_before = self.start_before.load(Ordering::SeqCst);
            let open_since = self.open_since.load(Ordering::SeqCst);
            listener(if self.shut.load(Ordering::SeqCst) { 0 } else { start_before }, open_since);
        }
    }

    /// The worker ends: nothing is started any more.
    pub(crate) fn shut(&self) {
        self.shut.store(true, Ordering::SeqCst);
        self.say();
    }

    /// Whether user code may begin on a lease that is not older than `since`.
    ///
    /// A process that was paused beyond its lease finds this closed, whatever it was about to do, also when a
    /// heartbeat came first: others may have taken what it held.
    pub(crate) fn may_start(&self, since: BootInstant) -> bool {
        let open = self.clock.boot().0 < self.start_before.load(Ordering::SeqCst);
        open && since.0 >= self.open_since.load(Ordering::SeqCst) && !self.shut.load(Ordering::SeqCst)
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
        let since = clock.boot();
        assert!(gate.may_start(since));
        manual.advance(Duration::from_secs(14));
        gate.extend(clock.boot().plus(Duration::from_secs(15)));
        assert!(gate.may_start(since), "a heartbeat in time changes nothing");
        manual.advance(Duration::from_secs(15));
        assert!(!gate.may_start(since));
        gate.extend(clock.boot().plus(Duration::from_secs(15)));
        assert!(!gate.may_start(since));
        assert!(gate.may_start(clock.boot()));
        gate.shut();
        assert!(!gate.may_start(clock.boot()));
    }
}
