//! How fast the slots finish tasks, and so how many deliveries may wait in front of them.

use std::time::Duration;

/// No more deliveries than this wait for a slot.
pub(super) const MOST_EXTRA: usize = 512;

/// As many deliveries may wait as are finished in this time.
const AHEAD_MILLIS: f64 = 5.0;

/// Half of the memory is forgotten after this many runs.
const MEMORY: u64 = 256;

/// A shorter mean than this cannot be told from the noise of a clock that counts milliseconds.
const SHORTEST_MILLIS: f64 = 0.01;

/// Of runs that wait close to the slots, as many as are finished in this time, and no more of them a slot.
const CLOSE_MILLIS: f64 = 2.0;
const MOST_CLOSE: usize = 63;

/// The mean duration of the latest runs. The sum is exact enough although the clock counts milliseconds: a run of
/// 0.1 ms crosses a millisecond in one of ten cases.
#[derive(Debug, Default)]
pub(super) struct Rate {
    runs: u64,
    micros: u64,
}

impl Rate {
    pub(super) fn record(&mut self, duration: Duration) {
        self.runs += 1;
        self.micros += duration.as_micros() as u64;
        if self.runs >= MEMORY {
            self.runs /= 2;
            self.micros /= 2;
        }
    }

    /// Deliveries waited in vain: nothing is known any more.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// How many deliveries may wait in front of `slots` slots; none while nothing is known.
    pub(super) fn extra(&self, slots: usize) -> usize {
        if self.runs == 0 {
            return 0;
        }
        ((AHEAD_MILLIS * slots as f64 / self.mean_millis()) as usize).min(MOST_EXTRA)
    }

    /// How many runs may wait close to `slots` slots; none while nothing is known.
    pub(super) fn ahead(&self, slots: usize) -> usize {
        if self.runs == 0 {
            return 0;
        }
        ((CLOSE_MILLIS * slots as f64 / self.mean_millis()) as usize).min(MOST_CLOSE * slots)
    }

    fn mean_millis(&self) -> f64 {
        (self.micros as f64 / 1000.0 / self.runs as f64).max(SHORTEST_MILLIS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(runs: u64, millis: u64) -> Rate {
        let mut rate = Rate::default();
        (0..runs).for_each(|_| rate.record(Duration::from_millis(millis)));
        rate
    }

    #[test]
    fn slow_and_unknown_tasks_get_nothing_extra() {
        assert_eq!(Rate::default().extra(4), 0);
        assert_eq!(after(10, 50).extra(4), 0);
    }

    #[test]
    fn fast_tasks_get_five_milliseconds_of_work() {
        assert_eq!(after(10, 1).extra(4), 20);
        assert_eq!(after(10, 0).extra(4), MOST_EXTRA);
    }

    #[test]
    fn what_was_long_ago_is_forgotten() {
        let mut rate = after(1000, 100);
        (0..4000).for_each(|_| rate.record(Duration::ZERO));
        assert_eq!(rate.extra(4), MOST_EXTRA);
    }
}
