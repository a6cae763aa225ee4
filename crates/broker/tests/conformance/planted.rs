//! Positive controls: a broker with a planted bug must fail the case that is about it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use cardoon_broker::conformance::{CASES, Case, Harness};
use cardoon_broker::{
    Broker, Capabilities, ConsumeSpec, Consumer, Control, DeadLetters, Delivery, EventStream, Handback,
    Inspect, Order, Publish, Published, Revoked, Settle, Settled, SweepReport,
};
use cardoon_core::{BootInstant, Event, Lease, Priority, QueueName, TaskId, Timestamp};
use cardoon_errors::Result;
use cardoon_runtime::Clock;

use crate::memory::MemoryHarness;

/// What is wrong with a broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bug {
    None,
    /// A verdict counts whoever gives it.
    IgnoresTheLease,
    /// What was rescued is never handed out again.
    DropsTheRescued,
    /// All that a dead worker held is blamed.
    BlamesTheInnocent,
    /// What has begun looks to a rescuer like what has not.
    ForgetsWhatHasBegun,
    /// All messages are equally urgent.
    ForgetsThePriority,
    /// Delayed messages are ready at once.
    ForgetsTheDelay,
    /// Only verdicts are stored.
    DropsFollowUps,
    /// A consumer that leaves takes its deliveries along.
    KeepsOnClose,
    /// A sent message is acknowledged, and forgotten when it is the last of a batch.
    DropsTheLastOfABatch,
    /// Nothing is left to those who know it.
    TakesWhatIsForOthers,
    /// A pause is no pause.
    ClaimsFromPausedQueues,
}

/// A stuck case has failed as well; its own deadline would only be longer.
const STUCK: Duration = Duration::from_secs(3);

/// Asserts that a case fails for the bug alone. What the sound wrapper needs tells a slow machine from a stuck case.
async fn assert_caught(bug: Bug, name: &str) {
    let case = CASES.iter().find(|case| case.name == name).expect("the suite has this case");
    let clock = Clock::real();
    let began = clock.boot();
    assert!(run(case, Bug::None).join_next().await.expect("it runs").is_ok(), "the wrapper itself is sound");
    let limit = STUCK.max(clock.boot().since(began) * 10);
    let outcome = tokio::time::timeout(limit, run(case, bug).join_next()).await;
    assert!(!matches!(outcome, Ok(Some(Ok(())))), "{bug:?} was not noticed");
}

/// Runs a case on its own, so that its panic is an answer.
fn run(case: &Case, bug: Bug) -> tokio::task::JoinSet<()> {
    let mut runs = tokio::task::JoinSet::new();
    runs.spawn((case.run)(Arc::new(Planted::new(bug))));
    runs
}

macro_rules! planted_bugs {
    ($($test:ident: $bug:ident => $case:literal;)*) => {
        $(
            #[tokio::test]
            async fn $test() {
                assert_caught(Bug::$bug, $case).await;
            }
        )*
    };
}

planted_bugs! {
    pauses_that_are_none_are_caught: ClaimsFromPausedQueues => "nothing_is_taken_from_a_paused_queue";
    a_broker_that_ignores_the_lease_is_caught: IgnoresTheLease => "an_old_lease_settles_nothing";
    a_broker_that_drops_the_rescued_is_caught: DropsTheRescued => "a_death_at_any_step_loses_nothing";
    a_broker_that_blames_the_innocent_is_caught: BlamesTheInnocent => "only_started_tasks_are_blamed";
    a_broker_that_forgets_what_has_begun_is_caught: ForgetsWhatHasBegun => "an_early_task_of_a_dead_worker_ends_with_an_unknown_outcome";
    a_broker_that_blames_the_waiting_is_caught: BlamesTheInnocent => "an_early_task_that_had_not_begun_is_rescued";
    a_broker_that_forgets_the_priority_is_caught: ForgetsThePriority => "urgent_messages_leave_first";
    a_broker_that_forgets_the_delay_is_caught: ForgetsTheDelay => "a_delayed_message_waits_until_it_is_due";
    a_broker_that_drops_follow_ups_is_caught: DropsFollowUps => "a_follow_up_is_stored_with_the_verdict";
    a_consumer_that_keeps_its_deliveries_is_caught: KeepsOnClose => "closing_hands_back_the_unstarted_uncounted";
    a_broker_that_drops_the_last_of_a_batch_is_caught: DropsTheLastOfABatch => "a_batch_of_ten_thousand_is_stored_and_taken";
    a_broker_that_takes_what_is_for_others_is_caught: TakesWhatIsForOthers => "what_is_left_to_others_waits_for_them";
}

fn newest(leases: &Mutex<HashMap<u64, Lease>>) -> MutexGuard<'_, HashMap<u64, Lease>> {
    leases.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Planted {
    inner: MemoryHarness,
    broker: Arc<PlantedBroker>,
}

struct PlantedBroker {
    inner: Arc<dyn Broker>,
    bug: Bug,
    /// The newest lease of each delivery, whoever holds it.
    newest: Arc<Mutex<HashMap<u64, Lease>>>,
}

struct PlantedConsumer {
    inner: Arc<dyn Consumer>,
    bug: Bug,
    newest: Arc<Mutex<HashMap<u64, Lease>>>,
}

impl Planted {
    fn new(bug: Bug) -> Self {
        let inner = MemoryHarness::new();
        let broker = Arc::new(PlantedBroker { inner: inner.broker(), bug, newest: Arc::default() });
        Self { inner, broker }
    }
}

#[async_trait]
impl Harness for Planted {
    fn broker(&self) -> Arc<dyn Broker> {
        self.broker.clone()
    }

    async fn second(&self) -> Arc<dyn Broker> {
        self.broker.clone()
    }

    async fn reopen(&self) -> Option<Arc<dyn Broker>> {
        None
    }

    async fn kill(&self, consumer: Arc<dyn Consumer>) {
        self.inner.kill(consumer).await;
    }

    fn clock(&self) -> Clock {
        self.inner.clock()
    }

    async fn pass(&self, time: Duration) {
        self.inner.pass(time).await;
    }
}

#[async_trait]
impl Broker for PlantedBroker {
    fn capabilities(&self) -> &Capabilities {
        self.inner.capabilities()
    }

    async fn publish(&self, mut batch: Vec<Publish>) -> Vec<Result<Published>> {
        for publish in &mut batch {
            if self.bug == Bug::ForgetsThePriority {
                publish.message.priority = Priority::default();
            }
            if self.bug == Bug::ForgetsTheDelay {
                publish.not_before = None;
            }
        }
        if self.bug == Bug::DropsTheLastOfABatch && batch.len() > 1 {
            batch.pop();
            let mut answers = self.inner.publish(batch).await;
            answers.push(Ok(Published::Stored));
            return answers;
        }
        self.inner.publish(batch).await
    }

    async fn consume(&self, spec: ConsumeSpec) -> Result<Arc<dyn Consumer>> {
        let inner = self.inner.consume(spec).await?;
        Ok(Arc::new(PlantedConsumer { inner, bug: self.bug, newest: Arc::clone(&self.newest) }))
    }

    async fn revoke(&self, ids: Vec<TaskId>) -> Vec<Result<Revoked>> {
        self.inner.revoke(ids).await
    }

    fn emit(&self, events: Vec<Event>) {
        self.inner.emit(events);
    }

    fn has_listeners(&self) -> bool {
        self.inner.has_listeners()
    }

    async fn listen(&self) -> Result<Box<dyn EventStream>> {
        self.inner.listen().await
    }

    fn inspect(&self) -> &dyn Inspect {
        self.inner.inspect()
    }

    fn dead_letters(&self) -> &dyn DeadLetters {
        self.inner.dead_letters()
    }

    fn control(&self) -> &dyn Control {
        self
    }

    fn handback(&self) -> Option<&dyn Handback> {
        self.inner.handback()
    }

    async fn close(&self, limit: Duration) -> Result<()> {
        self.inner.close(limit).await
    }
}

#[async_trait]
impl Control for PlantedBroker {
    async fn pause(&self, queue: &QueueName) -> Result<bool> {
        let was_not_paused = self.inner.control().pause(queue).await;
        if self.bug == Bug::ClaimsFromPausedQueues {
            self.inner.control().resume(queue).await?;
        }
        was_not_paused
    }

    async fn resume(&self, queue: &QueueName) -> Result<bool> {
        self.inner.control().resume(queue).await
    }

    async fn order(&self, session: u64, order: Order) -> Result<bool> {
        self.inner.control().order(session, order).await
    }
}

#[async_trait]
impl Consumer for PlantedConsumer {
    fn session(&self) -> u64 {
        self.inner.session()
    }

    async fn claim(&self, max: usize) -> Result<Vec<Delivery>> {
        loop {
            let mut taken = self.inner.claim(max).await?;
            if self.bug == Bug::DropsTheRescued {
                taken.retain(|delivery| !delivery.redelivered);
            }
            for delivery in &taken {
                newest(&self.newest).insert(delivery.lease.tag, delivery.lease);
                if self.bug == Bug::BlamesTheInnocent {
                    self.inner.mark_started(delivery.lease);
                }
            }
            if !taken.is_empty() {
                return Ok(taken);
            }
        }
    }

    async fn claim_delayed(&self, max: usize) -> Result<Vec<(Delivery, Timestamp)>> {
        self.inner.claim_delayed(max).await
    }

    async fn settle(&self, mut batch: Vec<Settle>) -> Vec<Result<Settled>> {
        for settle in &mut batch {
            if self.bug == Bug::IgnoresTheLease {
                settle.lease = newest(&self.newest).get(&settle.lease.tag).copied().unwrap_or(settle.lease);
            }
            if self.bug == Bug::DropsFollowUps {
                settle.follow_ups.clear();
            }
        }
        self.inner.settle(batch).await
    }

    fn leave_to_others(&self, queue: &QueueName, task: &str) {
        if self.bug != Bug::TakesWhatIsForOthers {
            self.inner.leave_to_others(queue, task);
        }
    }

    fn mark_started(&self, lease: Lease) {
        if self.bug != Bug::ForgetsWhatHasBegun {
            self.inner.mark_started(lease);
        }
    }

    fn mark_ended(&self, lease: Lease) {
        if self.bug != Bug::ForgetsWhatHasBegun {
            self.inner.mark_ended(lease);
        }
    }

    fn heartbeat(&self) -> Result<BootInstant> {
        self.inner.heartbeat()
    }

    async fn sweep(&self) -> Result<SweepReport> {
        self.inner.sweep().await
    }

    async fn revoked(&self) -> Result<Vec<TaskId>> {
        self.inner.revoked().await
    }

    async fn ordered(&self) -> Result<Option<Order>> {
        self.inner.ordered().await
    }

    async fn close(&self) -> Result<()> {
        if self.bug == Bug::KeepsOnClose {
            return Ok(());
        }
        self.inner.close().await
    }
}
