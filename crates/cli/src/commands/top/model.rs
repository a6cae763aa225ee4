//! What the view shows, and how it changes. Nothing here draws or waits.

use std::cmp::Ordering;
use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use cardoon_broker::{Member, QueueStats};
use cardoon_core::{Event, EventKind, QueueName, Timestamp};

use super::keys::Wish;

/// Events that are kept for the view.
const RECENT: usize = 200;

/// Looks over which the pace is averaged.
const LOOKS: usize = 5;

/// What one look at the store saw.
#[derive(Debug, Clone, Default)]
pub(super) struct Snapshot {
    pub(super) queues: Vec<QueueStats>,
    pub(super) workers: Vec<Member>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Pane {
    #[default]
    Queues,
    Workers,
    Events,
}

/// By which column a pane is sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Order {
    pub(super) column: usize,
    pub(super) reversed: bool,
}

/// All that is shown.
#[derive(Debug, Default)]
pub(super) struct Model {
    snapshot: Snapshot,
    recent: VecDeque<Event>,
    /// Runs that ended, by queue, and the time in which: one entry a look.
    looks: VecDeque<(Duration, HashMap<QueueName, u64>)>,
    since_look: HashMap<QueueName, u64>,
    pub(super) at: Timestamp,
    pub(super) pane: Pane,
    pub(super) is_paused: bool,
    /// Why the last look failed.
    pub(super) trouble: Option<String>,
    orders: [Order; 2],
    scrolls: [usize; 3],
}

/// Columns of the queues and of the workers, as their heads.
pub(super) const QUEUE_COLUMNS: [&str; 8] =
    ["QUEUE", "READY", "DELAYED", "HELD", "DEAD", "OLDEST", "WORKERS", "PER SECOND"];
pub(super) const WORKER_COLUMNS: [&str; 7] =
    ["WORKER", "BUSY", "QUEUES", "PID", "UP", "HEARTBEAT", "VERSION"];

impl Pane {
    const ALL: [Self; 3] = [Self::Queues, Self::Workers, Self::Events];

    fn next(self, steps: usize) -> Self {
        Self::ALL[(self as usize + steps) % Self::ALL.len()]
    }

    fn columns(self) -> usize {
        match self {
            Self::Queues => QUEUE_COLUMNS.len(),
            Self::Workers => WORKER_COLUMNS.len(),
            Self::Events => 0,
        }
    }
}

impl Model {
    /// Takes over what a look saw, `passed` after the one before it.
    pub(super) fn see(&mut self, snapshot: Snapshot, at: Timestamp, passed: Duration) {
        self.trouble = None;
        let ended = std::mem::take(&mut self.since_look);
        if !passed.is_zero() {
            self.looks.push_back((passed, ended));
            let surplus = self.looks.len().saturating_sub(LOOKS);
            self.looks.drain(..surplus);
        }
        if !self.is_paused {
            self.snapshot = snapshot;
            self.at = at;
        }
    }

    /// Notes what happened.
    pub(super) fn hear(&mut self, events: Vec<Event>) {
        for event in events {
            if let Some(queue) = event.queue.as_ref().filter(|_| is_end(event.kind)) {
                *self.since_look.entry(queue.clone()).or_default() += event.times();
            }
            if !self.is_paused && is_worth_showing(event.kind) {
                self.recent.push_front(event);
            }
        }
        self.recent.truncate(RECENT);
    }

    /// Does what a key asks for; answers whether to go on.
    pub(super) fn obey(&mut self, wish: Wish) -> bool {
        match wish {
            Wish::Quit => return false,
            Wish::Pause => self.is_paused = !self.is_paused,
            Wish::NextPane => self.pane = self.pane.next(1),
            Wish::LastPane => self.pane = self.pane.next(2),
            Wish::NextColumn => self.sort_by(1),
            Wish::LastColumn => self.sort_by(self.pane.columns().saturating_sub(1)),
            Wish::Reverse => {
                if let Some(order) = self.orders.get_mut(self.pane as usize) {
                    order.reversed = !order.reversed;
                }
            }
            Wish::Down => self.scroll(1),
            Wish::Up => self.scroll(-1),
            Wish::Redraw => {}
        }
        true
    }

    /// How the rows of a pane are sorted; `None` for events, which come in their own order.
    pub(super) fn order(&self, pane: Pane) -> Option<Order> {
        self.orders.get(pane as usize).copied()
    }

    /// Rows of `pane` that are scrolled away.
    pub(super) fn scrolled(&self, pane: Pane) -> usize {
        self.scrolls[pane as usize]
    }

    /// The queues in their order.
    pub(super) fn queues(&self) -> Vec<&QueueStats> {
        let order = self.orders[Pane::Queues as usize];
        let mut rows: Vec<_> = self.snapshot.queues.iter().collect();
        rows.sort_by(|a, b| order.apply(self.compare_queues(a, b, order.column)).then(a.queue.cmp(&b.queue)));
        rows
    }

    /// The workers in their order.
    pub(super) fn workers(&self) -> Vec<&Member> {
        let order = self.orders[Pane::Workers as usize];
        let mut rows: Vec<_> = self.snapshot.workers.iter().collect();
        rows.sort_by(|a, b| order.apply(compare_workers(a, b, order.column)).then(a.session.cmp(&b.session)));
        rows
    }

    /// The latest events, newest first.
    pub(super) fn recent(&self) -> impl Iterator<Item = &Event> {
        self.recent.iter()
    }

    /// Runs of `queue` that ended in a second; `None` before the second look.
    pub(super) fn pace(&self, queue: &QueueName) -> Option<f64> {
        let passed: Duration = self.looks.iter().map(|(passed, _)| passed).sum();
        let ended: u64 = self.looks.iter().filter_map(|(_, ended)| ended.get(queue)).sum();
        (!passed.is_zero()).then(|| ended as f64 / passed.as_secs_f64())
    }

    fn sort_by(&mut self, steps: usize) {
        let columns = self.pane.columns();
        if let Some(order) = self.orders.get_mut(self.pane as usize) {
            order.column = (order.column + steps) % columns;
        }
    }

    fn scroll(&mut self, rows: isize) {
        let count = match self.pane {
            Pane::Queues => self.snapshot.queues.len(),
            Pane::Workers => self.snapshot.workers.len(),
            Pane::Events => self.recent.len(),
        };
        let scrolled = &mut self.scrolls[self.pane as usize];
        *scrolled = scrolled.saturating_add_signed(rows).min(count.saturating_sub(1));
    }

    fn compare_queues(&self, a: &QueueStats, b: &QueueStats, column: usize) -> Ordering {
        match column {
            0 => a.queue.cmp(&b.queue),
            1 => a.ready.cmp(&b.ready),
            2 => a.delayed.cmp(&b.delayed),
            3 => a.held.cmp(&b.held),
            4 => a.dead.cmp(&b.dead),
            5 => a.oldest.cmp(&b.oldest),
            6 => a.workers.cmp(&b.workers),
            _ => self.pace(&a.queue).partial_cmp(&self.pace(&b.queue)).unwrap_or(Ordering::Equal),
        }
    }
}

impl Order {
    fn apply(self, ordering: Ordering) -> Ordering {
        if self.reversed { ordering.reverse() } else { ordering }
    }
}

fn compare_workers(a: &Member, b: &Member, column: usize) -> Ordering {
    match column {
        0 => a.worker.cmp(&b.worker),
        1 => busy(a).cmp(&busy(b)),
        2 => a.queues.cmp(&b.queues),
        3 => a.pid.cmp(&b.pid),
        4 => a.since.cmp(&b.since),
        5 => a.heartbeat_age.cmp(&b.heartbeat_age),
        _ => a.version.cmp(&b.version),
    }
}

/// How many of a worker's slots are taken. What it holds beyond them waits in it.
pub(super) fn busy(worker: &Member) -> u64 {
    worker.held.min(worker.slots.into())
}

fn is_end(kind: EventKind) -> bool {
    use EventKind::{TaskFailed, TaskRetried, TaskSucceeded};
    matches!(kind, TaskSucceeded | TaskFailed | TaskRetried)
}

/// Heartbeats and reports of progress would push away what matters.
fn is_worth_showing(kind: EventKind) -> bool {
    !matches!(kind, EventKind::WorkerHeartbeat | EventKind::TaskProgress)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(crate) fn queue(name: &str, ready: u64) -> QueueStats {
        QueueStats { ready, ..QueueStats::none(QueueName::new(name).unwrap()) }
    }

    pub(crate) fn worker(name: &str, session: u64) -> Member {
        Member {
            worker: name.into(),
            session,
            queues: vec![QueueName::new("mail").unwrap()],
            tasks: Vec::new(),
            slots: 4,
            held: 9,
            since: Timestamp(1_800_000_000_000),
            pid: 4711,
            heartbeat_age: Duration::from_secs(1),
            version: "0.1.0".into(),
        }
    }

    pub(crate) fn event(kind: EventKind, queue: &str) -> Event {
        let at = Timestamp(1_800_000_000_000);
        let queue = Some(QueueName::new(queue).unwrap());
        Event { queue, task: Some("mail.send".into()), ..Event::of_worker(kind, "w1".into(), at) }
    }

    fn seen(queues: Vec<QueueStats>) -> Model {
        let mut model = Model::default();
        model.see(Snapshot { queues, workers: Vec::new() }, Timestamp(1), Duration::ZERO);
        model
    }

    fn names(model: &Model) -> Vec<&str> {
        model.queues().iter().map(|stats| stats.queue.as_str()).collect()
    }

    #[test]
    fn queues_are_sorted_by_a_column_and_the_other_way_round() {
        let mut model = seen(vec![queue("a", 1), queue("b", 9), queue("c", 5)]);
        assert_eq!(names(&model), ["a", "b", "c"]);
        model.obey(Wish::NextColumn);
        assert_eq!(names(&model), ["a", "c", "b"]);
        model.obey(Wish::Reverse);
        assert_eq!(names(&model), ["b", "c", "a"]);
        model.obey(Wish::LastColumn);
        assert_eq!(names(&model), ["c", "b", "a"]);
    }

    #[test]
    fn a_paused_view_stands_still_and_goes_on_with_what_is_then() {
        let mut model = seen(vec![queue("a", 1)]);
        model.obey(Wish::Pause);
        model.see(Snapshot::default(), Timestamp(2), Duration::from_secs(1));
        model.hear(vec![event(EventKind::TaskFailed, "a")]);
        assert_eq!((names(&model), model.recent().count(), model.at), (vec!["a"], 0, Timestamp(1)));
        model.obey(Wish::Pause);
        model.see(Snapshot::default(), Timestamp(3), Duration::from_secs(1));
        assert_eq!((names(&model).len(), model.at), (0, Timestamp(3)));
    }

    #[test]
    fn the_pace_is_that_of_the_last_looks() {
        let mail = QueueName::new("mail").unwrap();
        let mut model = seen(vec![queue("mail", 0)]);
        assert_eq!(model.pace(&mail), None, "after one look nobody knows");
        model.hear(vec![event(EventKind::TaskSucceeded, "mail"); 20]);
        model.hear(vec![event(EventKind::TaskStarted, "mail"), event(EventKind::TaskFailed, "low")]);
        let look = |model: &mut Model| model.see(Snapshot::default(), Timestamp(2), Duration::from_secs(2));
        look(&mut model);
        assert_eq!(model.pace(&mail), Some(10.0));
        for _ in 0..LOOKS {
            look(&mut model);
        }
        assert_eq!(model.pace(&mail), Some(0.0));
    }

    #[test]
    fn panes_are_walked_in_a_circle_and_scrolled_no_further_than_their_last_row() {
        let mut model = seen(vec![queue("a", 1), queue("b", 2)]);
        for _ in 0..5 {
            model.obey(Wish::Down);
        }
        assert_eq!(model.scrolled(Pane::Queues), 1);
        model.obey(Wish::LastPane);
        assert_eq!(model.pane, Pane::Events);
        for wish in [Wish::Down, Wish::Up, Wish::Reverse, Wish::NextColumn, Wish::LastColumn] {
            assert!(model.obey(wish));
        }
        assert_eq!(model.scrolled(Pane::Events), 0);
        model.obey(Wish::NextPane);
        assert_eq!(model.pane, Pane::Queues);
        assert!(!model.obey(Wish::Quit));
    }

    #[test]
    fn the_latest_events_are_kept_and_no_heartbeats() {
        let mut model = Model::default();
        model.hear(vec![event(EventKind::WorkerHeartbeat, "a"), event(EventKind::TaskFailed, "a")]);
        assert_eq!(model.recent().count(), 1);
        model.hear(vec![event(EventKind::TaskSent, "a"); RECENT]);
        assert!(model.recent().all(|event| event.kind == EventKind::TaskSent));
        assert_eq!(model.recent().count(), RECENT);
    }
}
