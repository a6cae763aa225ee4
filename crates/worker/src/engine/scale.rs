//! How many slots there are, if that may change.

use std::time::Duration;

use cardoon_core::BootInstant;

use super::slots::Slots;
use super::{Command, Engine, Now};

/// All slots are busy for so long: there are to be more.
const GROW_AFTER: Duration = Duration::from_secs(1);

/// A slot is free for so long: there may be one less. Starting one again costs more than keeping it for a while.
const SHRINK_AFTER: Duration = Duration::from_secs(30);

/// The range that the number of slots may move in, and what it is judged by.
#[derive(Debug)]
pub(super) struct Scale {
    least: usize,
    most: usize,
    busy_since: Option<BootInstant>,
    spare_since: Option<BootInstant>,
}

impl Scale {
    pub(super) fn new(least: usize, most: usize) -> Self {
        Self { least: least.max(1), most: most.max(least).max(1), busy_since: None, spare_since: None }
    }

    /// How many slots there are to be, if not as many as there are.
    fn wanted(&mut self, slots: &Slots, now: BootInstant) -> Option<usize> {
        let (total, busy) = (slots.total(), slots.busy() >= slots.usable());
        self.busy_since = if busy && total < self.most { self.busy_since.or(Some(now)) } else { None };
        self.spare_since = if !busy && total > self.least { self.spare_since.or(Some(now)) } else { None };
        let wanted = if is_over(self.busy_since, GROW_AFTER, now) {
            (total + (total / 2).max(1)).min(self.most)
        } else if is_over(self.spare_since, SHRINK_AFTER, now) {
            total - 1
        } else {
            return None;
        };
        (self.busy_since, self.spare_since) = (None, self.spare_since.map(|_| now));
        Some(wanted)
    }

    fn next(&self) -> Option<BootInstant> {
        let grow = self.busy_since.map(|since| since.plus(GROW_AFTER));
        let shrink = self.spare_since.map(|since| since.plus(SHRINK_AFTER));
        [grow, shrink].into_iter().flatten().min()
    }
}

impl Engine {
    /// Changes the number of slots when they have been all busy, or one of them idle, for long enough.
    pub(super) fn rescale(&mut self, now: Now) {
        let Some(scale) = &mut self.scale else { return };
        if let Some(slots) = scale.wanted(&self.slots, now.boot) {
            self.slots.resize(slots);
            self.command(Command::Resize(slots));
        }
    }

    pub(super) fn next_rescale(&self) -> Option<BootInstant> {
        self.scale.as_ref()?.next()
    }
}

fn is_over(since: Option<BootInstant>, limit: Duration, now: BootInstant) -> bool {
    since.is_some_and(|since| now.since(since) >= limit)
}
