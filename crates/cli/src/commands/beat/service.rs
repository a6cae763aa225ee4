use std::sync::Arc;
use std::time::Duration;

use cardoon_core::Timestamp;
use cardoon_errors::{Code, Error, Result};
use cardoon_protocol::Limits;
use cardoon_runtime::Clock;
use cardoon_scheduler::{Due, Planner};

use super::call::Call;
use super::past::{Kept, Past, Ticks};
use super::periodic::Periodic;
use super::sender::{Others, Sender, Sent, Tick};
use crate::output::rfc3339;
use crate::stores::Stores;

/// The clock is looked at at least this often: it may be set, or the machine may have slept.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How long after something went wrong it is tried again.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// How long another scheduler may take to send what it has claimed.
const PATIENCE: Duration = Duration::from_secs(5);
/// A clock that goes back by more was wrong before.
const STEP_BACK: Duration = Duration::from_mins(1);

/// Sends the ticks of an application's periodic tasks when they are due.
pub(super) struct Beat {
    app: String,
    planner: Planner<Arc<Call>>,
    sender: Sender,
    past: Past,
    clock: Clock,
    /// The latest time that was read.
    latest: Timestamp,
    /// Ticks that another scheduler has claimed, each with the time at which it should have sent them.
    unsure: Vec<(Timestamp, Tick)>,
    trouble: Trouble,
}

/// What does not work at present.
#[derive(Debug, Default)]
struct Trouble {
    /// Ticks cannot be sent.
    sending: bool,
    /// The file of past ticks cannot be written.
    noting: bool,
    /// The file of past ticks does not say what is known.
    unnoted: bool,
}

impl Beat {
    /// # Errors
    ///
    /// If an entry could never be sent, or the file of past ticks cannot be read.
    pub(super) fn new(
        periodic: Periodic,
        stores: Stores,
        limits: Limits,
        past: Past,
        clock: Clock,
    ) -> Result<Self> {
        let now = clock.now();
        let sender = Sender::new(stores, limits, clock.clone());
        let known = past.load()?;
        let mut planner = Planner::new();
        for entry in periodic.entries {
            sender.check(&entry.task).map_err(|error| cannot_be_sent(&entry.name, error))?;
            let past = known.get(&entry.name).and_then(|kept| kept.past_of(&entry));
            planner.add(entry, past, now)?;
        }
        let trouble = Trouble { unnoted: true, ..Trouble::default() };
        Ok(Self { app: periodic.app, planner, sender, past, clock, latest: now, unsure: Vec::new(), trouble })
    }

    /// Sends ticks for ever.
    pub(super) async fn run(mut self) {
        loop {
            let pause = self.step().await;
            self.clock.sleep(pause).await;
        }
    }

    /// Sends what is due now; answers how long nothing will be.
    async fn step(&mut self) -> Duration {
        let now = self.clock.now();
        self.notice_set_back(now);
        let plan = self.planner.plan(now);
        let wake_at = plan.wake_at;
        let tick = |due: &Due<'_, Arc<Call>>| Tick {
            entry: due.entry.name.clone(),
            at: due.tick,
            id: due.id(&source(&self.app, &due.entry.task)),
            call: Arc::clone(&due.entry.task),
        };
        let due: Vec<Tick> = plan.due.iter().map(tick).collect();
        let mut failure = self.send_due(due, now).await;
        failure = self.send_unsure(now).await.or(failure);
        self.report(failure);
        self.note(now).await;
        self.pause(self.clock.now(), wake_at)
    }

    /// Sends ticks. What fails stays due. Answers a failure, if there was any.
    async fn send_due(&mut self, ticks: Vec<Tick>, now: Timestamp) -> Option<Error> {
        let mut failure = None;
        let answers = self.sender.send(&ticks, Others::Trusted).await;
        for (tick, answer) in ticks.into_iter().zip(answers) {
            let sent = match answer {
                Ok(sent) => sent,
                Err(error) => {
                    failure = Some(error);
                    continue;
                }
            };
            self.planner.record_sent(&tick.entry, tick.at);
            self.trouble.unnoted = true;
            match sent {
                Sent::Unsure => self.unsure.push((now.plus(PATIENCE), tick)),
                Sent::Now | Sent::Before => log(&tick, sent),
            }
        }
        failure
    }

    /// Sends what other schedulers have claimed and not sent in time.
    async fn send_unsure(&mut self, now: Timestamp) -> Option<Error> {
        let (late, waiting) =
            std::mem::take(&mut self.unsure).into_iter().partition(|(until, _)| *until <= now);
        self.unsure = waiting;
        let late: Vec<Tick> = late.into_iter().map(|(_, tick): (Timestamp, Tick)| tick).collect();
        let mut failure = None;
        let answers = self.sender.send(&late, Others::Overruled).await;
        for (tick, answer) in late.into_iter().zip(answers) {
            match answer {
                Ok(sent) => log(&tick, sent),
                Err(error) => {
                    failure = Some(error);
                    self.unsure.push((now.plus(RETRY_AFTER), tick));
                }
            }
        }
        failure
    }

    fn notice_set_back(&mut self, now: Timestamp) {
        if self.latest.since(now) > STEP_BACK {
            tracing::warn!(from = %rfc3339(self.latest), to = %rfc3339(now), "the clock was set back");
            self.planner.set_back(now);
            self.trouble.unnoted = true;
            self.latest = now;
        }
        self.latest = self.latest.max(now);
    }

    /// Says that sending does not work, and that it works again.
    fn report(&mut self, failure: Option<Error>) {
        match failure {
            Some(error) if !self.trouble.sending => {
                tracing::warn!(%error, "ticks cannot be sent; the latest of each task is sent as soon as they can");
                self.trouble.sending = true;
            }
            Some(error) => tracing::debug!(%error, "ticks still cannot be sent"),
            None if self.trouble.sending => {
                tracing::info!("ticks can be sent again");
                self.trouble.sending = false;
            }
            None => {}
        }
    }

    /// Brings the file of past ticks up to date.
    async fn note(&mut self, now: Timestamp) {
        if !self.trouble.unnoted {
            return;
        }
        let ticks: Ticks =
            self.planner.past().map(|(entry, past)| (entry.name.clone(), Kept::new(entry, past))).collect();
        let past = self.past.clone();
        // Writing waits for the disk, so it does not happen on the thread that drives this.
        let noted = tokio::task::spawn_blocking(move || past.add(ticks, now)).await;
        match noted.unwrap_or_else(|error| Err(broken_off(error))) {
            Ok(noted) => {
                self.trouble.noting = false;
                self.trouble.unnoted = !noted;
            }
            Err(error) if !self.trouble.noting => {
                tracing::warn!(%error, "it cannot be noted which ticks were sent: what comes while no scheduler runs is not made up for");
                self.trouble.noting = true;
            }
            Err(_) => {}
        }
    }

    fn pause(&self, now: Timestamp, wake_at: Option<Timestamp>) -> Duration {
        let is_troubled = self.trouble.sending || (self.trouble.unnoted && !self.trouble.noting);
        let ticks = self.unsure.iter().map(|(until, _)| *until).chain(wake_at);
        let until = ticks.map(|tick| tick.since(now)).chain(is_troubled.then_some(RETRY_AFTER));
        until.fold(LOOK_EVERY, Duration::min)
    }
}

/// What ids are made of besides the entry and the tick. Projects that share a server under one name have queues of their
/// own, and are not to take each other's ticks for theirs.
fn source(app: &str, call: &Call) -> String {
    format!("{app}@{}", call.queue())
}

fn log(tick: &Tick, sent: Sent) {
    let Tick { entry, id, call, at } = tick;
    let (task, at) = (call.task(), rfc3339(*at));
    match sent {
        Sent::Now => tracing::info!(entry, task.id = %id, task.name = task, tick = %at, "tick sent"),
        Sent::Before | Sent::Unsure => {
            tracing::debug!(entry, task.id = %id, task.name = task, tick = %at, "tick was sent before");
        }
    }
}

fn cannot_be_sent(entry: &str, error: Error) -> Error {
    let message = format!("periodic task `{}`: {}", entry.escape_debug(), error.message());
    Error::new(error.code(), message).source(error)
}

fn broken_off(error: tokio::task::JoinError) -> Error {
    Error::new(Code::Internal, "writing was broken off").source(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use cardoon_broker::Place;
    use cardoon_broker::memory::MemoryBroker;
    use cardoon_coord::memory::MemoryCoordinator;
    use cardoon_core::{QueueName, TaskFilter};
    use cardoon_errors::Applied;
    use cardoon_results::memory::MemoryResults;
    use cardoon_runtime::ManualClock;
    use cardoon_scheduler::{CatchUp, Entry, Schedule, Zone};

    use crate::commands::beat::said::SaidEntry;

    /// Schedulers of one application that share a clock, a broker and a file.
    struct World {
        manual: Arc<ManualClock>,
        broker: Arc<MemoryBroker>,
        folder: tempfile::TempDir,
    }

    impl World {
        fn new() -> Self {
            let manual = ManualClock::new(Timestamp(1_000_000));
            let broker = MemoryBroker::new(Clock::manual(&manual));
            Self { manual, broker, folder: tempfile::tempdir().unwrap() }
        }

        /// One that sends `tasks.tidy` every `every_secs`.
        fn beat(&self, every_secs: u64) -> Beat {
            let clock = Clock::manual(&self.manual);
            let stores = cardoon_connect::Stores {
                broker: self.broker.clone(),
                results: MemoryResults::new(clock.clone()),
                coord: MemoryCoordinator::new(clock.clone()),
                joined: false,
                location: "memory:".into(),
            };
            let said = SaidEntry {
                task: "tasks.tidy".into(),
                args: "[]".into(),
                kwargs: "{}".into(),
                ..SaidEntry::default()
            };
            let entry = Entry {
                name: "tidy".into(),
                schedule: Schedule::every(Duration::from_secs(every_secs)).unwrap(),
                zone: Zone::utc(),
                catch_up: CatchUp::Latest,
                task: Arc::new(Call::read(&said, &QueueName::default()).unwrap()),
            };
            let periodic = Periodic { app: "tasks".into(), entries: vec![entry], problems: Vec::new() };
            let past = Past::new(self.folder.path().join("beat.json"), "tasks");
            Beat::new(periodic, stores.into(), Limits::default(), past, clock).unwrap()
        }

        fn pass(&self, secs: u64) {
            self.manual.advance(Duration::from_secs(secs));
        }

        async fn sent(&self) -> usize {
            use cardoon_broker::Broker as _;
            let waiting =
                self.broker.inspect().waiting(&TaskFilter::default(), None, 100).await.unwrap().items;
            assert!(waiting.iter().all(|(_, place)| *place == Place::Ready));
            waiting.len()
        }
    }

    #[tokio::test]
    async fn each_tick_is_sent_when_it_is_due() {
        let world = World::new();
        let mut beat = world.beat(4);
        assert_eq!(beat.step().await, Duration::from_secs(4));
        for count in 1..4 {
            world.pass(4);
            assert_eq!(beat.step().await, Duration::from_secs(4));
            assert_eq!(world.sent().await, count);
        }
        assert_eq!(world.beat(3600).step().await, LOOK_EVERY);
    }

    #[tokio::test]
    async fn two_schedulers_send_a_tick_once() {
        let world = World::new();
        let (mut one, mut two) = (world.beat(10), world.beat(10));
        for count in 1..4 {
            world.pass(10);
            one.step().await;
            two.step().await;
            assert_eq!(world.sent().await, count);
        }
    }

    #[tokio::test]
    async fn after_a_restart_the_latest_missed_tick_is_sent() {
        let world = World::new();
        let mut beat = world.beat(10);
        beat.step().await;
        drop(beat);
        world.pass(35);
        let mut beat = world.beat(10);
        beat.step().await;
        assert_eq!(world.sent().await, 1);
        drop(beat);
        world.beat(10).step().await;
        assert_eq!(world.sent().await, 1, "that it was sent is known");
        world.pass(100);
        world.beat(7).step().await;
        assert_eq!(world.sent().await, 1, "another schedule begins anew");
    }

    #[tokio::test]
    async fn a_tick_that_cannot_be_sent_is_sent_once_when_the_broker_answers() {
        for answer in [Applied::No, Applied::Unknown] {
            let world = World::new();
            let mut beat = world.beat(10);
            world.pass(10);
            world.broker.faults().fail_next(2, answer);
            for _ in 0..2 {
                assert_eq!(beat.step().await, RETRY_AFTER);
                assert!(beat.trouble.sending);
            }
            beat.step().await;
            assert!(!beat.trouble.sending);
            assert_eq!(world.sent().await, 1);
            beat.step().await;
            assert_eq!(world.sent().await, 1);
        }
    }

    #[tokio::test]
    async fn a_clock_that_is_set_back_far_does_not_end_the_schedule() {
        let world = World::new();
        let mut beat = world.beat(10);
        world.pass(10_000);
        beat.step().await;
        world.manual.step_wall(-10_000_000);
        beat.step().await;
        world.pass(10);
        beat.step().await;
        assert_eq!(world.sent().await, 2);
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_written_stops_nothing() {
        let world = World::new();
        let mut beat = world.beat(10);
        std::fs::create_dir(world.folder.path().join("beat.json.lock")).unwrap();
        world.pass(10);
        assert_eq!(beat.step().await, LOOK_EVERY);
        assert!(beat.trouble.noting);
        assert_eq!(world.sent().await, 1);
    }
}
