//! The worker's units of concurrency.

/// How many slots there are, work, and are lost to tasks that ignore their time limits.
#[derive(Debug)]
pub(super) struct Slots {
    total: usize,
    busy: usize,
    lost: usize,
    /// Runs that may wait close to the slots.
    ahead: usize,
}

impl Slots {
    pub(super) fn new(total: usize) -> Self {
        Self { total: total.max(1), busy: 0, lost: 0, ahead: 0 }
    }

    pub(super) fn free(&self) -> usize {
        (self.total + self.ahead).saturating_sub(self.busy + self.lost)
    }

    pub(super) fn total(&self) -> usize {
        self.total
    }

    pub(super) fn resize(&mut self, slots: usize) {
        self.total = slots.max(1);
    }

    /// Slots that are not lost.
    pub(super) fn usable(&self) -> usize {
        self.total.saturating_sub(self.lost)
    }

    /// So many more runs than slots may be started: they are short, and executors keep them in order.
    pub(super) fn read_ahead(&mut self, runs: usize) {
        self.ahead = runs;
    }

    pub(super) fn busy(&self) -> usize {
        self.busy
    }

    pub(super) fn take(&mut self) {
        debug_assert!(self.free() > 0, "a slot was taken that is not there");
        self.busy += 1;
    }

    pub(super) fn give_back(&mut self) {
        debug_assert!(self.busy > 0, "a slot was given back twice");
        self.busy -= 1;
    }

    /// Its task does not end.
    pub(super) fn write_off(&mut self) {
        self.busy -= 1;
        self.lost += 1;
    }

    /// Its task ended after all.
    pub(super) fn recover(&mut self) {
        self.lost -= 1;
    }

    /// Whether the worker should be replaced: more than half of its slots are lost.
    pub(super) fn too_few(&self) -> bool {
        self.lost * 2 > self.total
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_goes_on_with_half_of_its_slots() {
        let mut slots = Slots::new(4);
        for expected in [false, false, true] {
            slots.take();
            slots.write_off();
            assert_eq!(slots.too_few(), expected);
        }
        assert_eq!(slots.free(), 1);
        slots.recover();
        assert_eq!((slots.free(), slots.too_few()), (2, false));
    }
}
