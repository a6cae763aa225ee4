//! How long calls of each task take, and so how many of them a child may hold.

use std::collections::HashMap;

/// A child holds as many short calls as it runs in this time, in microseconds.
pub(super) const AHEAD_MICROS: u64 = 2_000;

/// What a task took lately. Unknown tasks count as long ones.
#[derive(Debug, Default)]
pub(super) struct Paces(HashMap<u32, u64>);

impl Paces {
    /// A call of `task` has taken so long. Slower is believed at once, faster by and by.
    pub(super) fn record(&mut self, task: u32, micros: u64) {
        let known = self.0.entry(task).or_insert(micros);
        *known = if micros > *known { u64::midpoint(*known, micros) } else { (*known * 7 + micros) / 8 };
    }

    /// What the next call of `task` is expected to take; nothing if it would keep others waiting too long.
    pub(super) fn short(&self, task: u32) -> Option<u64> {
        self.0.get(&task).copied().filter(|micros| *micros < AHEAD_MICROS).map(|micros| micros.max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_known_to_be_short_is_short() {
        let mut paces = Paces::default();
        assert_eq!(paces.short(1), None);
        paces.record(1, 3);
        assert_eq!(paces.short(1), Some(3));
        paces.record(1, 5_000_000);
        assert_eq!(paces.short(1), None);
    }
}
