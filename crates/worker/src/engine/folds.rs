//! Events of one kind, task and queue as one event with their number.

use std::sync::Arc;

use cardoon_core::{Event, EventKind, QueueName, Timestamp};

/// So many different ones are counted before they are told: they are looked through one after the other.
const MOST: usize = 64;

#[derive(Debug, Default)]
pub(super) struct Folds(Vec<Fold>);

#[derive(Debug)]
struct Fold {
    kind: EventKind,
    task: Arc<str>,
    queue: QueueName,
    count: u64,
    /// Of all of them, in seconds.
    runtime: Option<f64>,
}

impl Folds {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn is_full(&self) -> bool {
        self.0.len() >= MOST
    }

    pub(super) fn add(&mut self, kind: EventKind, task: &str, queue: &QueueName, runtime: Option<f64>) {
        let alike = |fold: &&mut Fold| fold.kind == kind && *fold.task == *task && fold.queue == *queue;
        match self.0.iter_mut().find(alike) {
            Some(fold) => {
                fold.count += 1;
                fold.runtime = fold.runtime.zip(runtime).map(|(sum, one)| sum + one);
            }
            None => self.0.push(Fold { kind, task: task.into(), queue: queue.clone(), count: 1, runtime }),
        }
    }

    /// Takes all of them. The runtime of an event for many is their mean.
    pub(super) fn unfold<'a>(
        &'a mut self,
        worker: &'a Arc<str>,
        now: Timestamp,
    ) -> impl Iterator<Item = Event> + 'a {
        self.0.drain(..).map(move |fold| Event {
            task: Some(fold.task),
            queue: Some(fold.queue),
            count: Some(fold.count),
            runtime: fold.runtime.map(|sum| sum / fold.count as f64),
            ..Event::of_worker(fold.kind, Arc::clone(worker), now)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_alike_become_one_with_their_number_and_their_mean() {
        let (low, mail) = (QueueName::new("low").unwrap(), QueueName::new("mail").unwrap());
        let mut folds = Folds::default();
        folds.add(EventKind::TaskSucceeded, "send", &mail, Some(0.5));
        folds.add(EventKind::TaskSucceeded, "send", &mail, Some(1.5));
        folds.add(EventKind::TaskSucceeded, "send", &low, None);
        folds.add(EventKind::TaskStarted, "send", &mail, None);
        let told: Vec<_> = folds.unfold(&"w".into(), Timestamp(7)).collect();
        let counts: Vec<_> = told.iter().map(|event| (event.kind, event.count, event.runtime)).collect();
        assert_eq!(
            counts,
            [
                (EventKind::TaskSucceeded, Some(2), Some(1.0)),
                (EventKind::TaskSucceeded, Some(1), None),
                (EventKind::TaskStarted, Some(1), None),
            ]
        );
        assert!(folds.is_empty() && told.iter().all(|event| event.id.is_none()));
    }
}
