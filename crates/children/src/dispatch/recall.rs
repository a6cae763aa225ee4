//! Taking calls back from children: those that others could run, and those that must not begin.

use std::collections::VecDeque;

use super::desk::Desk;
use super::dispatcher::{Dispatcher, End, Kind, Place, QUIET_MILLIS};
use super::{ChildId, Command};
use crate::frame::Tag;

/// A call that finds no child for so long is given up, so that another worker gets it.
const LINE_MILLIS: u64 = 100;

impl Dispatcher {
    /// Asks a child to give calls back.
    pub(super) fn ask(&mut self, child: ChildId, tags: Vec<Tag>, now: u64) {
        if let Some(desk) = self.desks.get_mut(&child) {
            desk.recalling += 1;
            self.asked.entry(child).or_default().push_back((now, tags.clone()));
            self.commands.push(Command::Recall { child, tags });
        }
    }

    /// A child has answered: these do not begin there.
    pub(super) fn recalled(&mut self, child: ChildId, tags: &[Tag], now: u64) {
        let Some((_, asked)) = self.asked.get_mut(&child).and_then(VecDeque::pop_front) else { return };
        if let Some(desk) = self.desks.get_mut(&child) {
            desk.recalling -= 1;
        }
        for tag in tags.iter().rev().filter(|tag| asked.contains(tag)) {
            self.put_back(child, *tag, now);
        }
        for tag in asked.iter().filter(|tag| !tags.contains(tag)) {
            self.end_by_force(child, *tag, now);
        }
        self.asked.retain(|_, asked| !asked.is_empty());
    }

    /// A call that was given back waits at the head of the line, unless it is not wanted any more.
    pub(super) fn put_back(&mut self, child: ChildId, tag: Tag, now: u64) {
        let Some(call) = self.calls.get_mut(&tag) else { return };
        let Place::Child { child: place, micros } = call.place else { return };
        if place != child {
            return;
        }
        call.place = Place::Line { since: now };
        call.begun = false;
        let unwanted = call.aborted || self.called_off;
        if let Some(desk) = self.desks.get_mut(&child) {
            desk.take(tag, micros);
            desk.given = desk.given.saturating_sub(1);
        }
        if unwanted {
            self.end(tag, End::Unstarted);
        } else {
            self.line.push_front(tag);
        }
    }

    /// What waits behind a call that takes longer than thought is given to others.
    pub(super) fn recall_from_quiet(&mut self, now: u64) {
        if self.shape.kind != Kind::Process {
            return;
        }
        let quiet = |desk: &Desk| desk.may_recall() && now >= desk.quiet_since + QUIET_MILLIS;
        let asking: Vec<_> = self
            .desks
            .iter()
            .filter(|(_, desk)| quiet(desk))
            .map(|(child, desk)| (*child, desk.calls.iter().skip(1).copied().collect::<Vec<_>>()))
            .collect();
        for (child, tags) in asking {
            self.ask(child, tags, now);
        }
    }

    /// Nothing new begins.
    pub(super) fn call_off_all(&mut self, now: u64) {
        self.called_off = true;
        for tag in std::mem::take(&mut self.line) {
            self.end(tag, End::Unstarted);
        }
        let with_calls: Vec<_> = self
            .desks
            .iter()
            .map(|(child, desk)| (*child, desk.calls.iter().copied().collect::<Vec<_>>()))
            .collect();
        for (child, tags) in with_calls.into_iter().filter(|(_, tags)| !tags.is_empty()) {
            self.ask(child, tags, now);
        }
    }

    pub(super) fn give_up_old(&mut self, now: u64) {
        while let Some(tag) = self.line.front().copied() {
            if self.given_up_at(tag).is_some_and(|due| now < due) {
                return;
            }
            self.line.pop_front();
            self.end(tag, End::Unstarted);
        }
    }

    /// When the first call of the line is given up.
    pub(super) fn line_due(&self) -> Option<u64> {
        self.given_up_at(*self.line.front()?)
    }

    fn given_up_at(&self, tag: Tag) -> Option<u64> {
        match self.calls.get(&tag)?.place {
            Place::Line { since } => Some(since + LINE_MILLIS),
            Place::Child { .. } => None,
        }
    }
}
