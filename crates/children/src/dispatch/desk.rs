//! What one child has before it.

use std::collections::{HashMap, VecDeque};

use super::dispatcher::{QUIET_MILLIS, Submitted};
use crate::frame::Tag;

/// How soon a child is looked at again of which nothing could be seen, in milliseconds.
const LOOK_AGAIN_MILLIS: u64 = 100;

/// A child as the dispatcher sees it.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) stage: Stage,
    /// What it was given and has not reported, in the order in which it was given.
    pub(super) calls: VecDeque<Tag>,
    /// What `calls` are expected to take together, in microseconds.
    pub(super) load: u64,
    /// Since when it has reported nothing although it has calls, in boot-time milliseconds.
    pub(super) quiet_since: u64,
    /// Calls that it was asked to give back and has not answered about.
    pub(super) recalling: usize,
    /// Calls that it was given and has not given back.
    pub(super) given: u64,
    /// When it was looked at last.
    pub(super) looked_at: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Starting,
    Open,
    /// It takes nothing new, and ends with its last call.
    Retiring,
    /// It was told to end, at this time.
    Ending {
        since: u64,
    },
    /// It is killed, because a call must end or because it does not do as it is told. No call is to blame for its death.
    Killed,
}

impl Desk {
    pub(super) fn new() -> Self {
        Self {
            stage: Stage::Starting,
            calls: VecDeque::new(),
            load: 0,
            quiet_since: 0,
            recalling: 0,
            given: 0,
            looked_at: 0,
        }
    }

    pub(super) fn give(&mut self, tag: Tag, micros: u64, now: u64) {
        if self.calls.is_empty() {
            self.quiet_since = now;
        }
        self.calls.push_back(tag);
        self.load += micros;
        self.given += 1;
    }

    /// The call is not here any more.
    pub(super) fn take(&mut self, tag: Tag, micros: u64) {
        if let Some(place) = self.calls.iter().position(|other| *other == tag) {
            self.calls.remove(place);
            if place == 0 {
                // The next one is looked at in its own time.
                self.looked_at = 0;
            }
            self.load = if self.calls.is_empty() { 0 } else { self.load.saturating_sub(micros) };
        }
    }

    /// Whether something waits here that it could be asked for.
    pub(super) fn may_recall(&self) -> bool {
        self.calls.len() > 1 && self.recalling == 0 && self.stage != Stage::Killed
    }

    /// When it is to be looked at, if it is not known whether its first call has begun.
    pub(super) fn look_at(&self, calls: &HashMap<Tag, Submitted>) -> Option<u64> {
        let first = calls.get(self.calls.front()?)?;
        let due = (self.quiet_since + QUIET_MILLIS).max(self.looked_at + LOOK_AGAIN_MILLIS);
        (!first.begun && self.stage != Stage::Killed).then_some(due)
    }

    /// Whether it is one of those that there are to be.
    pub(super) fn counts(&self) -> bool {
        matches!(self.stage, Stage::Starting | Stage::Open)
    }
}
