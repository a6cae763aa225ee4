//! What ends by force: calls that must not go on, children that do not do as they are told, and what a death leaves.

use super::desk::Stage;
use super::dispatcher::{
    Care, Dispatcher, End, FIRST_PAUSE_MILLIS, Kind, LONGEST_PAUSE_MILLIS, Place, Submitted,
};
use super::{ChildId, Command};
use crate::frame::Tag;

/// How long a child may take to say whether a call has begun that must end.
const ANSWER_MILLIS: u64 = 250;

/// How long a child may take to give back what others wait for. Its line never waits for user code, so one that is silent
/// for so long stands still.
const SILENCE_MILLIS: u64 = 10_000;

/// How long a child may take to end that was told to.
const END_MILLIS: u64 = 10_000;

/// How long a coroutine may go on that was interrupted.
const INTERRUPT_MILLIS: u64 = 1_000;

impl Dispatcher {
    pub(super) fn abort(&mut self, tag: Tag, now: u64) {
        let Some(call) = self.calls.get_mut(&tag) else { return };
        call.aborted = true;
        let (begun, place) = (call.begun, call.place);
        match place {
            Place::Line { .. } => {
                self.line.retain(|other| *other != tag);
                self.end(tag, End::Unstarted);
            }
            Place::Child { child, .. } if begun && !self.has_others(child) => {
                self.end_by_force(child, tag, now);
            }
            Place::Child { child, .. } => self.ask(child, vec![tag], now),
        }
    }

    /// Ends a call that runs and must not.
    pub(super) fn end_by_force(&mut self, child: ChildId, tag: Tag, now: u64) {
        let here =
            |call: &&Submitted| matches!(call.place, Place::Child { child: place, .. } if place == child);
        if !self.calls.get(&tag).filter(here).is_some_and(|call| call.aborted) {
            return;
        }
        match self.shape.kind {
            Kind::Process => self.kill(child),
            // A thread ends with its process only. That ends when nothing else is in it that may go on.
            Kind::Threads { .. } if self.is_unwanted(child) => self.kill(child),
            Kind::Loop { .. } if self.called_off && self.is_unwanted(child) => self.kill(child),
            Kind::Threads { .. } | Kind::Loop { .. } => {
                self.interrupted.insert(tag, (child, now));
                self.commands.push(Command::Interrupt { child, tag });
            }
        }
    }

    /// Whether a call behind this one may run by now: a child says of several at once that they have ended.
    fn has_others(&self, child: ChildId) -> bool {
        self.shape.kind == Kind::Process && self.desks.get(&child).is_some_and(|desk| desk.calls.len() > 1)
    }

    /// Whether all calls of a child must end.
    fn is_unwanted(&self, child: ChildId) -> bool {
        let is_aborted = |tag: &Tag| self.calls.get(tag).is_some_and(|call| call.aborted);
        self.desks.get(&child).is_some_and(|desk| desk.calls.iter().all(is_aborted))
    }

    fn kill(&mut self, child: ChildId) {
        if let Some(desk) = self.desks.get_mut(&child).filter(|desk| desk.stage != Stage::Killed) {
            desk.stage = Stage::Killed;
            self.commands.push(Command::Kill(child));
        }
    }

    /// A child that does not even answer what it is asked is stuck. It is given little time when a call must end, and more
    /// when others only wait for what it holds.
    pub(super) fn kill_silent(&mut self, now: u64) {
        let due = |child: &ChildId| self.answer_due(*child).is_some_and(|due| now >= due);
        let silent: Vec<_> = self.asked.keys().copied().filter(due).collect();
        for child in silent {
            self.kill(child);
        }
    }

    /// When a child that was asked something is given up.
    fn answer_due(&self, child: ChildId) -> Option<u64> {
        self.desks.get(&child).filter(|desk| desk.stage != Stage::Killed)?;
        let is_urgent = |tag: &Tag| self.calls.get(tag).is_some_and(|call| call.aborted);
        let patience = |tags: &[Tag]| if tags.iter().any(is_urgent) { ANSWER_MILLIS } else { SILENCE_MILLIS };
        self.asked.get(&child)?.iter().map(|(since, tags)| since + patience(tags)).min()
    }

    /// A coroutine that does not end when it is interrupted holds up all others of its child.
    pub(super) fn kill_stuck(&mut self, now: u64) {
        let calls = &self.calls;
        self.interrupted.retain(|tag, _| calls.contains_key(tag));
        let stuck: Vec<_> = self
            .interrupted
            .values()
            .filter(|(child, since)| match self.shape.kind {
                Kind::Loop { .. } => now >= since + INTERRUPT_MILLIS,
                Kind::Threads { .. } => self.is_unwanted(*child),
                Kind::Process => false,
            })
            .map(|(child, _)| *child)
            .collect();
        for child in stuck {
            self.kill(child);
        }
    }

    /// Kills children that were told to end and have not.
    pub(super) fn kill_unwilling(&mut self, now: u64) {
        let due = |since: u64| now >= since + END_MILLIS;
        let unwilling: Vec<_> = self
            .desks
            .iter()
            .filter(|(_, desk)| matches!(desk.stage, Stage::Ending { since } if due(since)))
            .map(|(child, _)| *child)
            .collect();
        for child in unwilling {
            self.kill(child);
        }
    }

    /// When the next child is to be killed unless something happens.
    pub(super) fn force_due(&self) -> Option<u64> {
        let silent = self.asked.keys().filter_map(|child| self.answer_due(*child));
        let ending = self.desks.values().filter_map(|desk| match desk.stage {
            Stage::Ending { since } => Some(since + END_MILLIS),
            _ => None,
        });
        silent.chain(ending).chain(self.interrupt_due()).min()
    }

    fn interrupt_due(&self) -> Option<u64> {
        if !matches!(self.shape.kind, Kind::Loop { .. }) {
            return None;
        }
        let lives = |child: &ChildId| self.desks.get(child).is_some_and(|desk| desk.stage != Stage::Killed);
        let waited_for = self.interrupted.values().filter(|(child, _)| lives(child));
        waited_for.map(|(_, since)| since + INTERRUPT_MILLIS).min()
    }

    /// A child is gone. What it ran is told so; what it had not begun is for others. Calls before the one that it ran have
    /// ended, and it did not come to say so: they begin again, but for those that must not.
    pub(super) fn died(&mut self, child: ChildId, running: Option<Tag>, now: u64) {
        let Some(desk) = self.desks.remove(&child) else { return };
        self.asked.remove(&child);
        if desk.stage == Stage::Starting {
            let pause = FIRST_PAUSE_MILLIS << self.failed_starts.min(10);
            self.start_after = now + pause.min(LONGEST_PAUSE_MILLIS);
            self.failed_starts += 1;
        }
        let end = if desk.stage == Stage::Killed { End::Killed } else { End::Died(child) };
        let running = desk.calls.iter().position(|tag| running == Some(*tag));
        for (place, tag) in desk.calls.iter().enumerate().rev() {
            let Some(call) = self.calls.get(tag) else { continue };
            let ran = self.shape.kind != Kind::Process || call.begun || running == Some(place);
            let unsaid = running.is_some_and(|running| place < running);
            if ran || (unsaid && call.care == Care::Once) {
                self.end(*tag, end);
            } else {
                self.put_back(child, *tag, now);
            }
        }
    }
}
