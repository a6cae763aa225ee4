use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cardoon_core::{Event, EventKind, QueueName};

use super::histogram::Histogram;
use super::page::Page;

/// Different names of tasks, and of queues, that have series of their own.
const MOST_NAMES: usize = 200;
/// Different series of tasks, those of `other` not counted.
const MOST_SERIES: usize = 2000;
const OTHER: &str = "other";

/// Counts what happens. Events are counted while somebody listens: readers of events, or whoever asks for the metrics.
#[derive(Debug, Default)]
pub(crate) struct Meter(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    names: Names,
    /// As the events name them, with where they are counted: most are found at once.
    places: HashMap<(Arc<str>, Option<QueueName>, EventKind), usize>,
    series: HashMap<Series, usize>,
    tasks: Vec<(Series, u64)>,
    runtimes: HashMap<Arc<str>, Histogram>,
    roundtrips: Histogram,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Series {
    task: Arc<str>,
    queue: Arc<str>,
    state: &'static str,
}

#[derive(Debug, Default)]
struct Names {
    tasks: HashSet<Arc<str>>,
    queues: HashSet<Arc<str>>,
}

impl Meter {
    pub(crate) fn count(&self, events: &[Event]) {
        let mut counts = self.counts();
        for event in events {
            counts.add(event);
        }
    }

    /// A batch of messages was stored.
    pub(crate) fn stored(&self, took: Duration) {
        self.counts().roundtrips.add(took, 1);
    }

    pub(super) fn write(&self, page: &mut Page) {
        let counts = self.counts();
        page.family("cardoon_tasks_total", "counter", "What happened to tasks, while somebody listened.");
        for (Series { task, queue, state }, count) in &counts.tasks {
            page.sample("cardoon_tasks_total", &[("task", task), ("queue", queue), ("state", state)], count);
        }
        page.family("cardoon_task_runtime_seconds", "histogram", "How long runs took that succeeded.");
        for (task, runtime) in &counts.runtimes {
            runtime.write(page, "cardoon_task_runtime_seconds", &[("task", task)]);
        }
        let about = "How long the store took to store a batch of messages of this gateway.";
        page.family("cardoon_broker_roundtrip_seconds", "histogram", about);
        counts.roundtrips.write(page, "cardoon_broker_roundtrip_seconds", &[]);
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    fn add(&mut self, event: &Event) {
        let (Some(task), Some(state)) = (&event.task, state(event.kind)) else { return };
        let key = (Arc::clone(task), event.queue.clone(), event.kind);
        let place = match self.places.get(&key) {
            Some(place) => *place,
            None => self.place_of(key, state),
        };
        let (series, count) = &mut self.tasks[place];
        let times = event.times();
        *count += times;
        if let Some(took) = event.runtime.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()) {
            match self.runtimes.get_mut(&series.task) {
                Some(runtime) => runtime.add(took, times),
                None => self.runtimes.entry(Arc::clone(&series.task)).or_default().add(took, times),
            }
        }
    }

    /// Where an event of these names is counted. Only names that have series of their own are remembered.
    fn place_of(&mut self, key: (Arc<str>, Option<QueueName>, EventKind), state: &'static str) -> usize {
        let queue = key.1.as_ref().map_or("", QueueName::as_str);
        let (own_task, task) = known(&mut self.names.tasks, &key.0);
        let (own_queue, queue) = known(&mut self.names.queues, queue);
        let own = Series { task, queue, state };
        let is_full = self.series.len() >= MOST_SERIES && !self.series.contains_key(&own);
        let series = if is_full { Series { task: OTHER.into(), queue: OTHER.into(), state } } else { own };
        let place = *self.series.entry(series.clone()).or_insert_with(|| {
            self.tasks.push((series, 0));
            self.tasks.len() - 1
        });
        if own_task && own_queue && !is_full {
            self.places.insert(key, place);
        }
        place
    }
}

/// The name under which it is counted, and whether that is its own.
fn known(names: &mut HashSet<Arc<str>>, name: &str) -> (bool, Arc<str>) {
    if let Some(known) = names.get(name) {
        return (true, Arc::clone(known));
    }
    if names.len() >= MOST_NAMES {
        return (false, OTHER.into());
    }
    let name: Arc<str> = name.into();
    names.insert(Arc::clone(&name));
    (true, name)
}

fn state(kind: EventKind) -> Option<&'static str> {
    Some(match kind {
        EventKind::TaskSent => "sent",
        EventKind::TaskReceived => "received",
        EventKind::TaskStarted => "started",
        EventKind::TaskSucceeded => "succeeded",
        EventKind::TaskFailed => "failed",
        EventKind::TaskRetried => "retried",
        EventKind::TaskRevoked => "revoked",
        EventKind::TaskRescued => "rescued",
        EventKind::TaskDead => "dead",
        EventKind::TaskProgress
        | EventKind::WorkerOnline
        | EventKind::WorkerHeartbeat
        | EventKind::WorkerOffline
        | EventKind::WorkerLost => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use cardoon_core::Timestamp;

    fn event(task: &str) -> Event {
        let base = Event::of_worker(EventKind::TaskSucceeded, "w".into(), Timestamp(0));
        Event { task: Some(task.into()), runtime: Some(0.02), ..base }
    }

    #[test]
    fn an_event_for_many_counts_as_many() {
        let meter = Meter::default();
        meter.count(&[Event { count: Some(40), ..event("t") }, event("t")]);
        let mut page = Page::default();
        meter.write(&mut page);
        let text = page.finish();
        assert!(
            text.contains("cardoon_tasks_total{task=\"t\",queue=\"\",state=\"succeeded\"} 41\n"),
            "{text}"
        );
        assert!(text.contains("cardoon_task_runtime_seconds_count{task=\"t\"} 41\n"), "{text}");
    }

    #[test]
    fn names_beyond_the_bound_share_a_series() {
        let meter = Meter::default();
        let events: Vec<_> = (0..10 * MOST_NAMES).map(|n| event(&format!("t{n}"))).collect();
        meter.count(&events);
        let mut page = Page::default();
        meter.write(&mut page);
        let text = page.finish();
        assert_eq!(
            text.lines().filter(|line| line.starts_with("cardoon_tasks_total{")).count(),
            MOST_NAMES + 1
        );
        let others = format!("{{task=\"other\",queue=\"\",state=\"succeeded\"}} {}", 9 * MOST_NAMES);
        assert!(text.contains(&others), "{text}");
        assert!(text.contains("cardoon_task_runtime_seconds_bucket{task=\"t0\",le=\"0.025\"} 1\n"));
    }
}
