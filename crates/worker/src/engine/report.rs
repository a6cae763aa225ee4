//! Events for those who watch; built only if somebody does.

use std::sync::Arc;
use std::time::Duration;

use cardoon_core::settle::Verdict;
use cardoon_core::{BootInstant, Event, EventKind, TaskState};

use super::Now;
use super::folds::Folds;
use super::held::Held;
use super::verdict::Closed;

/// What goes well is told one by one up to so many events in each window, and counted beyond: whoever watches a busy
/// worker could not read them all, and the worker would pay for each.
const WINDOW: Duration = Duration::from_millis(100);
const ONE_BY_ONE: usize = 300;

#[derive(Debug)]
pub(super) struct Reporter {
    pub watched: bool,
    worker: Arc<str>,
    told: Vec<Event>,
    folds: Folds,
    window_ends: BootInstant,
    /// Events that may still be told one by one in this window.
    room: usize,
}

/// What is told of an end when it is stored.
#[derive(Debug, Default)]
pub(super) enum Tidings {
    #[default]
    Nothing,
    /// It went well, as most do, and took these seconds.
    Success(Option<f64>),
    Events(Vec<Event>),
}

impl Reporter {
    pub(super) fn new(worker: &Arc<str>) -> Self {
        Self {
            watched: false,
            worker: Arc::clone(worker),
            told: Vec::new(),
            folds: Folds::default(),
            window_ends: BootInstant(0),
            room: 0,
        }
    }

    /// Tells a step of a task that goes well.
    pub(super) fn tell(&mut self, kind: EventKind, held: &Held, now: Now) {
        if self.watched {
            self.tell_or_count(kind, held, now, None);
        }
    }

    pub(super) fn tell_end(&mut self, tidings: Tidings, held: &Held, now: Now) {
        match tidings {
            Tidings::Nothing => {}
            Tidings::Success(runtime) => self.tell_or_count(EventKind::TaskSucceeded, held, now, runtime),
            Tidings::Events(events) => self.told.extend(events),
        }
    }

    /// What was counted is told with what is taken next.
    pub(super) fn end_window(&mut self) {
        self.window_ends = BootInstant(0);
    }

    /// What is to be told by now.
    pub(super) fn take(&mut self, now: Now) -> Vec<Event> {
        if self.folds.is_full() || (!self.folds.is_empty() && self.window_ends <= now.boot) {
            self.told.extend(self.folds.unfold(&self.worker, now.wall));
        }
        std::mem::take(&mut self.told)
    }

    /// When something is to be told even if nothing happens.
    pub(super) fn next(&self) -> Option<BootInstant> {
        (!self.folds.is_empty()).then_some(self.window_ends)
    }

    /// What is to be told when the end is stored.
    pub(super) fn of_end(&self, held: &Held, closed: &Closed, now: Now) -> Tidings {
        let Some(record) = closed.settle.record.as_ref().filter(|_| self.watched) else {
            return Tidings::Nothing;
        };
        let runtime = record.started_at.map(|started_at| now.wall.since(started_at).as_secs_f64());
        let kind = match record.state {
            TaskState::Success => return Tidings::Success(runtime),
            TaskState::Retry => EventKind::TaskRetried,
            TaskState::Revoked => EventKind::TaskRevoked,
            _ => EventKind::TaskFailed,
        };
        let detail = Some(closed.detail.clone()).filter(|detail| !detail.is_empty());
        let end = Event { runtime, detail: detail.clone(), ..self.event(kind, held, now) };
        let mut events = vec![end];
        if matches!(closed.settle.verdict, Verdict::Dead { .. }) {
            events.push(Event { detail, ..self.event(EventKind::TaskDead, held, now) });
        }
        Tidings::Events(events)
    }

    fn tell_or_count(&mut self, kind: EventKind, held: &Held, now: Now, runtime: Option<f64>) {
        if self.window_ends <= now.boot {
            self.told.extend(self.folds.unfold(&self.worker, now.wall));
            (self.window_ends, self.room) = (now.boot.plus(WINDOW), ONE_BY_ONE);
        }
        match self.room.checked_sub(1) {
            Some(room) => {
                self.room = room;
                let event = Event { runtime, ..self.event(kind, held, now) };
                self.told.push(event);
            }
            None => self.folds.add(kind, name(held), &held.delivery.queue, runtime),
        }
    }

    fn event(&self, kind: EventKind, held: &Held, now: Now) -> Event {
        let message = &held.delivery.message;
        let task = held.known().map_or_else(|| message.task.as_str().into(), |known| Arc::clone(&known.name));
        Event {
            id: Some(message.id.clone()),
            task: Some(task),
            queue: Some(held.delivery.queue.clone()),
            attempt: Some(message.attempt),
            ..Event::of_worker(kind, Arc::clone(&self.worker), now.wall)
        }
    }
}

fn name(held: &Held) -> &str {
    held.known().map_or_else(|| held.delivery.message.task.as_str(), |known| &known.name)
}
