//! Events for those who watch; built only if somebody does.

use std::sync::Arc;

use cardoon_core::settle::Verdict;
use cardoon_core::{Event, EventKind, TaskState};

use super::Now;
use super::held::Held;
use super::verdict::Closed;

#[derive(Debug)]
pub(super) struct Reporter {
    pub watched: bool,
    worker: Arc<str>,
    told: Vec<Event>,
}

impl Reporter {
    pub(super) fn new(worker: &Arc<str>) -> Self {
        Self { watched: false, worker: Arc::clone(worker), told: Vec::new() }
    }

    pub(super) fn tell(&mut self, kind: EventKind, held: &Held, now: Now, detail: Option<String>) {
        if self.watched {
            let event = self.event(kind, held, now, detail);
            self.told.push(event);
        }
    }

    pub(super) fn tell_all(&mut self, events: Vec<Event>) {
        self.told.extend(events);
    }

    pub(super) fn take(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.told)
    }

    /// What is to be told when the end is stored.
    pub(super) fn of_end(&self, held: &Held, closed: &Closed, now: Now) -> Vec<Event> {
        let Some(record) = closed.settle.record.as_ref().filter(|_| self.watched) else { return Vec::new() };
        let kind = match record.state {
            TaskState::Success => EventKind::TaskSucceeded,
            TaskState::Retry => EventKind::TaskRetried,
            TaskState::Revoked => EventKind::TaskRevoked,
            _ => EventKind::TaskFailed,
        };
        let detail = Some(closed.detail.clone()).filter(|detail| !detail.is_empty());
        let mut events = vec![self.event(kind, held, now, detail.clone())];
        if let Some(started_at) = record.started_at {
            events[0].runtime = Some(now.wall.since(started_at).as_secs_f64());
        }
        if matches!(closed.settle.verdict, Verdict::Dead { .. }) {
            events.push(self.event(EventKind::TaskDead, held, now, detail));
        }
        events
    }

    fn event(&self, kind: EventKind, held: &Held, now: Now, detail: Option<String>) -> Event {
        let message = &held.delivery.message;
        let task = match held.known() {
            Some(known) => Arc::clone(&known.name),
            None => message.task.as_str().into(),
        };
        Event {
            id: Some(message.id.clone()),
            task: Some(task),
            queue: Some(held.delivery.queue.clone()),
            attempt: Some(message.attempt),
            detail,
            ..Event::of_worker(kind, Arc::clone(&self.worker), now.wall)
        }
    }
}
