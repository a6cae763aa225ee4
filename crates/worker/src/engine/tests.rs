//! The engine, driven by hand and by chance.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cardoon_broker::{Delivery, Settle, Settled};
use cardoon_core::settle::{ReleaseCause, Verdict};
use cardoon_core::{
    BootInstant, DeadReason, EventKind, Lease, Message, Priority, QueueName, RetryHint, RetryPolicy,
    RunNumber, Signature, SignatureOptions, TaskId, TaskState, Timestamp,
};
use cardoon_errors::{Code, Error};
use cardoon_protocol::{Limits, Undecodable};
use cardoon_results::Begun;
use proptest::prelude::*;

use super::*;
use crate::{AckMode, CancelReason, Handler, Isolation, TaskDefinition, TaskError, TaskOptions, WorkerExit};

const SECOND: Duration = Duration::from_secs(1);
const LEASE: Duration = Duration::from_secs(15);

/// An engine, its clocks, and what it has said so far.
struct Bench {
    engine: Engine,
    now: Now,
    said: Vec<Command>,
    deliveries: u64,
}

impl Bench {
    fn new(slots: usize) -> Self {
        let config = Config {
            worker: "w".into(),
            slots,
            grace: 25 * SECOND,
            recall: Duration::from_millis(100),
            max_result_bytes: 100,
        };
        let now = Now { wall: Timestamp(1_000_000), boot: BootInstant(50_000) };
        let engine = Engine::new(config, now.boot.plus(LEASE));
        let mut bench = Self { engine, now, said: Vec::new(), deliveries: 0 };
        bench.advance();
        bench
    }

    fn apply(&mut self, event: Event) {
        self.engine.apply(event, self.now);
        self.advance();
    }

    fn advance(&mut self) {
        self.engine.advance(self.now);
        self.said.extend(self.engine.take_commands());
    }

    fn wait(&mut self, time: Duration) {
        self.now = Now { wall: self.now.wall.plus(time), boot: self.now.boot.plus(time) };
        self.advance();
    }

    fn beat(&mut self) {
        self.apply(Event::Beat(self.now.boot.plus(LEASE)));
    }

    fn deliver(&mut self, arrivals: Vec<Arrival>) {
        self.apply(Event::Claimed(arrivals));
    }

    fn plain(&mut self) -> Arrival {
        self.of(TaskOptions::default())
    }

    fn of(&mut self, options: TaskOptions) -> Arrival {
        let task = KnownTask { name: "t".into(), definition: definition(options) };
        self.arrival(Arc::new(task))
    }

    fn arrival(&mut self, task: Arc<KnownTask>) -> Arrival {
        self.deliveries += 1;
        let delivery = delivery(self.deliveries);
        let call = cardoon_protocol::decode(&delivery.message, &Limits::default()).unwrap();
        Arrival { delivery, content: Content::Known { task, call: Arc::new(call) } }
    }

    fn end(&mut self, ticket: Ticket, outcome: Outcome) {
        self.apply(Event::Ended { ticket, outcome, jitter: 0.5 });
    }

    fn succeed(&mut self, ticket: Ticket) {
        self.end(ticket, Outcome::Succeeded(Bytes::from_static(b"1")));
    }

    fn started(&mut self) -> Vec<Ticket> {
        self.take(|command| match command {
            Command::Start(start) => Some(start.ticket),
            _ => None,
        })
    }

    fn verdicts(&mut self) -> Vec<(Ticket, Settle)> {
        self.take(|command| match command {
            Command::Settle { ticket, settle } => Some((*ticket, (**settle).clone())),
            _ => None,
        })
    }

    fn verdict(&mut self) -> Settle {
        let mut verdicts = self.verdicts();
        assert_eq!(verdicts.len(), 1, "{verdicts:?}");
        verdicts.remove(0).1
    }

    fn claims(&mut self) -> Vec<usize> {
        self.take(|command| match command {
            Command::Claim(max) => Some(*max),
            _ => None,
        })
    }

    fn cancelled(&mut self) -> Vec<CancelReason> {
        self.take(|command| match command {
            Command::Cancel { reason, .. } => Some(*reason),
            _ => None,
        })
    }

    fn aborted(&mut self) -> Vec<Ticket> {
        self.take(|command| match command {
            Command::Abort(ticket) => Some(*ticket),
            _ => None,
        })
    }

    fn begins(&mut self) -> Vec<Ticket> {
        self.take(|command| match command {
            Command::Begin { ticket, .. } => Some(*ticket),
            _ => None,
        })
    }

    fn finished(&mut self) -> Option<WorkerExit> {
        self.take(|command| match command {
            Command::Finish(exit) => Some(*exit),
            _ => None,
        })
        .pop()
    }

    fn take<T>(&mut self, pick: impl Fn(&Command) -> Option<T>) -> Vec<T> {
        let (taken, kept): (Vec<Command>, _) =
            std::mem::take(&mut self.said).into_iter().partition(|it| pick(it).is_some());
        self.said = kept;
        taken.iter().filter_map(pick).collect()
    }

    fn run_one(&mut self, arrival: Arrival) -> Ticket {
        self.deliver(vec![arrival]);
        let started = self.started();
        assert_eq!(started.len(), 1);
        started[0]
    }
}

fn definition(options: TaskOptions) -> TaskDefinition {
    let handler = Handler::asynchronous(|_, _| async { Ok(Bytes::new()) });
    TaskDefinition { name: "t".into(), options, handler, parameters: Vec::new(), states: Vec::new() }
}

fn blocking(options: TaskOptions) -> Arc<KnownTask> {
    let handler = Handler::blocking(|_, _| Ok(Bytes::new()));
    Arc::new(KnownTask { name: "t".into(), definition: TaskDefinition { handler, ..definition(options) } })
}

fn delivery(number: u64) -> Delivery {
    let id = TaskId::new(format!("id-{number}")).unwrap();
    let signature = Signature {
        task: "t".into(),
        args: Bytes::from_static(b"[]"),
        kwargs: Bytes::from_static(b"{}"),
        options: SignatureOptions::default(),
    };
    let message: Message = cardoon_protocol::encode(&signature, id, "tests").unwrap();
    Delivery {
        lease: Lease { session: 1, sequence: number, tag: number },
        queue: QueueName::default(),
        message: Message { priority: Priority::default(), ..message },
        redelivered: false,
        resent: false,
        deaths: 0,
        revoked: false,
        outcome_unknown: false,
        enqueued_at: Timestamp(0),
    }
}

fn limited(time_limit: Duration) -> TaskOptions {
    TaskOptions { time_limit: Some(time_limit), ..TaskOptions::default() }
}

fn too_large() -> Error {
    Error::new(Code::TooLarge, "it does not fit")
}

fn failed(kind: &str) -> Outcome {
    Outcome::Failed(TaskError::new(kind, "it broke"))
}

#[test]
fn an_idle_worker_claims_for_its_slots_and_nothing_extra() {
    let mut bench = Bench::new(4);
    assert_eq!(bench.claims(), [4]);
    bench.deliver(Vec::new());
    assert_eq!(bench.claims(), [4]);
}

#[test]
fn a_claim_is_not_repeated_while_one_is_under_way() {
    let mut bench = Bench::new(4);
    bench.advance();
    bench.advance();
    assert_eq!(bench.claims(), [4]);
}

#[test]
fn a_success_is_acknowledged_with_its_record() {
    let mut bench = Bench::new(1);
    let arrival = bench.plain();
    let ticket = bench.run_one(arrival);
    bench.succeed(ticket);
    let settle = bench.verdict();
    let record = settle.record.unwrap();
    assert_eq!(settle.verdict, Verdict::Ack);
    assert_eq!((record.state, record.run, &*record.worker), (TaskState::Success, RunNumber::FIRST, "w"));
    assert_eq!(record.value.as_deref(), Some(&b"1"[..]));
}

#[test]
fn an_ignored_result_leaves_a_record_without_a_value() {
    let mut bench = Bench::new(1);
    let arrival = bench.of(TaskOptions { ignore_result: true, ..TaskOptions::default() });
    let ticket = bench.run_one(arrival);
    bench.succeed(ticket);
    let record = bench.verdict().record.unwrap();
    assert_eq!((record.state, record.value), (TaskState::Success, None));
}

#[test]
fn a_return_value_over_the_limit_fails_the_task_with_both_sizes() {
    let mut bench = Bench::new(1);
    let arrival = bench.plain();
    let ticket = bench.run_one(arrival);
    bench.end(ticket, Outcome::Succeeded(vec![b'1'; 101].into()));
    let record = bench.verdict().record.unwrap();
    assert_eq!(record.state, TaskState::Failure);
    assert_eq!(record.failure.unwrap().message, "the return value has 101 bytes, the limit is 100");
}

#[test]
fn a_failure_is_recorded_and_its_retry_is_sent_in_the_same_step() {
    let mut bench = Bench::new(1);
    let policy = RetryPolicy { jitter: false, ..RetryPolicy::default() };
    let arrival = bench.of(TaskOptions { retry: policy, ..TaskOptions::default() });
    let ticket = bench.run_one(arrival);
    bench.end(ticket, failed("E"));
    let settle = bench.verdict();
    assert_eq!(settle.verdict, Verdict::Ack);
    assert_eq!(settle.record.unwrap().state, TaskState::Retry);
    let retry = &settle.follow_ups[0];
    assert_eq!((retry.message.attempt, retry.message.id.as_str()), (1, "id-1"));
    assert_eq!(retry.not_before, Some(bench.now.wall.plus(SECOND)));
}

#[test]
fn the_last_failed_attempt_goes_to_the_dead_letters() {
    let mut bench = Bench::new(1);
    let mut arrival = bench.plain();
    arrival.delivery.message.attempt = 3;
    bench.deliver(vec![arrival]);
    let ticket = bench.begins()[0];
    bench.apply(Event::Begun { ticket, begun: Begun::Run(RunNumber(7)) });
    assert_eq!(bench.started(), [ticket]);
    bench.end(ticket, failed("E"));
    let settle = bench.verdict();
    assert!(matches!(settle.verdict, Verdict::Dead { reason: DeadReason::RetriesExhausted, .. }));
    let record = settle.record.unwrap();
    assert_eq!((record.state, record.run), (TaskState::Failure, RunNumber(7)));
}

#[test]
fn what_is_not_retried_keeps_its_message_in_the_dead_letters_with_the_reason() {
    let mut bench = Bench::new(1);
    let arrival = bench.plain();
    let ticket = bench.run_one(arrival);
    bench.end(ticket, Outcome::Failed(TaskError::new("E", "no").with_hint(RetryHint::Never)));
    let dead = Verdict::Dead { reason: DeadReason::Failed, detail: "E: no".into() };
    assert_eq!(bench.verdict().verdict, dead);
    let arrival = bench.plain();
    let ticket = bench.run_one(arrival);
    bench.end(ticket, Outcome::Failed(TaskError::bad_arguments("too many")));
    assert!(matches!(bench.verdict().verdict, Verdict::Dead { reason: DeadReason::BadArguments, .. }));
}

#[test]
fn what_cannot_be_read_is_buried_and_the_worker_goes_on() {
    let mut bench = Bench::new(1);
    let why = Undecodable { reason: DeadReason::Malformed, detail: "body: not JSON".into() };
    let arrival = Arrival { delivery: delivery(1), content: Content::Undecodable(why) };
    bench.claims();
    bench.deliver(vec![arrival]);
    let settle = bench.verdict();
    let dead = Verdict::Dead { reason: DeadReason::Malformed, detail: "body: not JSON".into() };
    assert_eq!(settle.verdict, dead);
    assert_eq!(settle.record.unwrap().state, TaskState::Failure);
    assert_eq!(bench.claims(), [1]);
}

#[test]
fn a_redelivered_message_that_cannot_be_read_registers_before_its_record() {
    let mut bench = Bench::new(1);
    let why = Undecodable { reason: DeadReason::Malformed, detail: "x".into() };
    let delivery = Delivery { redelivered: true, ..delivery(1) };
    bench.deliver(vec![Arrival { delivery, content: Content::Undecodable(why) }]);
    assert!(bench.verdicts().is_empty());
    let ticket = bench.begins()[0];
    bench.apply(Event::Begun { ticket, begun: Begun::Run(RunNumber(2)) });
    assert_eq!(bench.verdict().record.unwrap().run, RunNumber(2));
}

#[test]
fn a_task_that_has_ended_or_is_further_is_acknowledged_without_a_run() {
    for begun in [Begun::Ended, Begun::Superseded] {
        let mut bench = Bench::new(1);
        let mut arrival = bench.plain();
        arrival.delivery.redelivered = true;
        bench.deliver(vec![arrival]);
        let ticket = bench.begins()[0];
        bench.apply(Event::Begun { ticket, begun });
        let settle = bench.verdict();
        assert_eq!((settle.verdict, settle.record), (Verdict::Ack, None));
        assert!(bench.started().is_empty());
    }
}

#[test]
fn an_unknown_task_is_put_off_while_somebody_knows_it_and_buried_otherwise() {
    for known in [true, false] {
        let mut bench = Bench::new(1);
        let content = Content::Unknown { task: "new".into(), expires: None, eta: None };
        bench.deliver(vec![Arrival { delivery: delivery(1), content }]);
        let asked = bench.take(|command| match command {
            Command::LookUp { ticket, .. } => Some(*ticket),
            _ => None,
        });
        bench.apply(Event::LookedUp { ticket: asked[0], known });
        let settle = bench.verdict();
        if known {
            assert_eq!(settle.verdict, Verdict::Defer { until: bench.now.wall.plus(SECOND) });
            assert_eq!(settle.record, None);
        } else {
            assert!(matches!(settle.verdict, Verdict::Dead { reason: DeadReason::UnknownTask, .. }));
        }
    }
}

#[test]
fn a_far_time_goes_back_to_the_broker_and_a_near_one_is_waited_for() {
    let mut bench = Bench::new(1);
    let mut far = bench.plain();
    let mut near = bench.plain();
    let eta = |bench: &Bench, by: Duration| bench.now.wall.plus(by);
    set_eta(&mut far, eta(&bench, 3 * SECOND));
    set_eta(&mut near, eta(&bench, SECOND));
    bench.deliver(vec![far, near]);
    assert_eq!(bench.verdict().verdict, Verdict::Defer { until: eta(&bench, 3 * SECOND) });
    assert!(bench.started().is_empty());
    assert_eq!(bench.engine.next_deadline(bench.now), Some(bench.now.boot.plus(SECOND)));
    bench.wait(SECOND);
    assert_eq!(bench.started().len(), 1);
}

fn set_eta(arrival: &mut Arrival, eta: Timestamp) {
    let Content::Known { call, .. } = &mut arrival.content else { panic!("it is known") };
    Arc::get_mut(call).unwrap().eta = Some(eta);
}

#[test]
fn an_expired_task_is_recorded_as_revoked_also_when_it_expired_behind_busy_slots() {
    let mut bench = Bench::new(1);
    let first = bench.plain();
    let mut second = bench.plain();
    second.delivery.message.expires = Some(bench.now.wall.plus(Duration::from_millis(50)));
    bench.deliver(vec![first, second]);
    let running = bench.started();
    bench.wait(Duration::from_millis(60));
    bench.succeed(running[0]);
    let verdicts = bench.verdicts();
    let record = verdicts[1].1.record.as_ref().unwrap();
    assert_eq!(record.state, TaskState::Revoked);
    assert_eq!(record.failure.as_ref().unwrap().kind, "Expired");
}

#[test]
fn after_a_pause_beyond_the_lease_nothing_starts_until_the_next_heartbeat() {
    let mut bench = Bench::new(1);
    let (first, second) = (bench.plain(), bench.plain());
    bench.deliver(vec![first, second]);
    let running = bench.started();
    bench.claims();
    bench.now.boot = bench.now.boot.plus(LEASE);
    bench.succeed(running[0]);
    let released: Vec<_> = bench.verdicts().into_iter().map(|(_, settle)| settle.verdict).collect();
    assert_eq!(released, [Verdict::Ack, Verdict::Release { cause: ReleaseCause::Unstarted }]);
    assert_eq!((bench.started(), bench.claims()), (vec![], vec![]));
    bench.beat();
    assert_eq!(bench.claims().len(), 1);
}

#[test]
fn what_waits_behind_busy_slots_is_handed_back_and_not_claimed_again() {
    let mut bench = Bench::new(1);
    for _ in 0..8 {
        let arrival = bench.plain();
        let ticket = bench.run_one(arrival);
        bench.succeed(ticket);
    }
    bench.verdicts();
    assert!(bench.engine.credit() > 1, "fast tasks earn credit");
    bench.claims();
    let arrivals = (0..5).map(|_| bench.plain()).collect();
    bench.deliver(arrivals);
    assert_eq!(bench.started().len(), 1);
    bench.claims();
    bench.wait(Duration::from_millis(100));
    let released = bench.verdicts();
    assert_eq!(released.len(), 4);
    assert!(released.iter().all(|(_, s)| s.verdict == Verdict::Release { cause: ReleaseCause::Unstarted }));
    bench.deliver(Vec::new());
    assert!(bench.claims().is_empty(), "the slot is busy, and nothing waits for it any more");
}

#[test]
fn a_blamed_task_runs_alone() {
    let mut bench = Bench::new(3);
    let first = bench.plain();
    let mut blamed = bench.plain();
    blamed.delivery.deaths = 1;
    let third = bench.plain();
    bench.deliver(vec![first, blamed, third]);
    let running = bench.started();
    assert_eq!(running.len(), 1);
    bench.succeed(running[0]);
    let alone = bench.started();
    assert_eq!(alone.len(), 1, "the blamed one, and nothing beside it");
    bench.claims();
    bench.advance();
    assert!(bench.claims().is_empty(), "nothing is taken meanwhile");
    bench.succeed(alone[0]);
    assert_eq!(bench.started().len(), 1);
    assert_eq!(bench.claims().len(), 1);
}

#[test]
fn a_blamed_task_beside_a_long_one_does_not_idle_its_worker() {
    let mut bench = Bench::new(2);
    let long = bench.plain();
    let mut blamed = bench.plain();
    blamed.delivery.deaths = 1;
    bench.deliver(vec![long, blamed]);
    assert_eq!(bench.started().len(), 1);
    bench.claims();
    bench.wait(Duration::from_secs(2));
    assert!(matches!(bench.verdict().verdict, Verdict::Defer { .. }));
    assert_eq!(bench.claims().len(), 1, "the free slot is offered again");
}

#[test]
fn early_acknowledgement_is_stored_before_user_code_runs() {
    let mut bench = Bench::new(1);
    let arrival = bench.of(TaskOptions { ack: AckMode::Early, ..TaskOptions::default() });
    bench.deliver(vec![arrival]);
    assert!(bench.started().is_empty());
    let verdicts = bench.verdicts();
    let (ticket, settle) = &verdicts[0];
    assert_eq!(settle.verdict, Verdict::AckEarly);
    bench.apply(Event::Settled(vec![(*ticket, Answer::Settled(Settled::Done))]));
    assert_eq!(bench.started(), [*ticket]);
    bench.end(*ticket, failed("E"));
    assert_eq!(bench.verdict().follow_ups.len(), 1, "the policy holds for early ones too");
}

#[test]
fn a_lease_that_is_lost_at_the_early_acknowledgement_runs_nothing() {
    let mut bench = Bench::new(1);
    let arrival = bench.of(TaskOptions { ack: AckMode::Early, ..TaskOptions::default() });
    bench.deliver(vec![arrival]);
    let ticket = bench.verdicts()[0].0;
    bench.claims();
    bench.apply(Event::Settled(vec![(ticket, Answer::Settled(Settled::LeaseLost))]));
    assert_eq!((bench.started(), bench.verdicts().len()), (vec![], 0));
    assert_eq!(bench.engine.credit(), 1, "the slot is free again");
}

#[test]
fn limits_tell_first_then_end_and_the_failure_is_retried() {
    let mut bench = Bench::new(1);
    let options = TaskOptions { soft_time_limit: Some(SECOND), ..limited(2 * SECOND) };
    let arrival = bench.of(options);
    let ticket = bench.run_one(arrival);
    bench.apply(Event::Began(ticket));
    bench.wait(SECOND);
    assert_eq!(bench.cancelled(), [CancelReason::SoftTimeLimit]);
    bench.wait(SECOND);
    assert_eq!((bench.cancelled(), bench.aborted()), (vec![CancelReason::TimeLimit], vec![ticket]));
    bench.end(ticket, Outcome::Aborted);
    let settle = bench.verdict();
    let record = settle.record.unwrap();
    assert_eq!((record.state, settle.follow_ups.len()), (TaskState::Retry, 1));
    assert_eq!(record.failure.unwrap().kind, TaskError::TIME_LIMIT);
}

#[test]
fn a_future_that_does_not_yield_is_written_off_and_its_late_end_ignored() {
    let mut bench = Bench::new(2);
    let arrival = bench.of(limited(SECOND));
    let ticket = bench.run_one(arrival);
    bench.apply(Event::Began(ticket));
    bench.wait(SECOND);
    assert!(bench.verdicts().is_empty(), "it may still yield");
    bench.wait(SECOND);
    assert_eq!(bench.verdict().record.unwrap().failure.unwrap().kind, TaskError::TIME_LIMIT);
    assert_eq!(bench.engine.credit(), 1);
    bench.succeed(ticket);
    assert!(bench.verdicts().is_empty());
    assert_eq!(bench.engine.credit(), 2, "the slot is back");
}

#[test]
fn a_worker_that_lost_more_than_half_of_its_slots_drains_and_asks_to_be_replaced() {
    let mut bench = Bench::new(3);
    let task = blocking(TaskOptions { retry: RetryPolicy::never(), ..limited(SECOND) });
    let arrivals: Vec<_> = (0..3).map(|_| bench.arrival(Arc::clone(&task))).collect();
    bench.deliver(arrivals);
    let started = bench.started();
    bench.apply(Event::Began(started[0]));
    bench.apply(Event::Began(started[1]));
    bench.wait(SECOND);
    let verdicts = bench.verdicts();
    assert_eq!(verdicts.len(), 2);
    let answers = verdicts.iter().map(|(ticket, _)| (*ticket, Answer::Settled(Settled::Done)));
    bench.apply(Event::Settled(answers.collect()));
    assert_eq!(bench.finished(), None, "one still runs");
    bench.succeed(started[2]);
    let (ticket, _) = bench.verdicts()[0];
    bench.apply(Event::Settled(vec![(ticket, Answer::Settled(Settled::Done))]));
    assert_eq!(bench.finished(), Some(WorkerExit::SlotsLost));
}

#[test]
fn a_revoke_ends_what_waits_and_tells_what_runs() {
    let mut bench = Bench::new(1);
    let (first, second) = (bench.plain(), bench.plain());
    bench.deliver(vec![first, second]);
    let running = bench.started();
    let ids = [1, 2].map(|n| delivery(n).message.id).to_vec();
    bench.apply(Event::Revoked(ids));
    let waiting = bench.verdict().record.unwrap();
    assert_eq!((waiting.id.as_str(), waiting.state), ("id-2", TaskState::Revoked));
    assert_eq!(bench.cancelled(), [CancelReason::Revoked]);
    bench.wait(5 * SECOND);
    assert_eq!(bench.aborted(), running);
    bench.end(running[0], Outcome::Aborted);
    let record = bench.verdict().record.unwrap();
    assert_eq!((record.id.as_str(), record.state), ("id-1", TaskState::Revoked));
}

#[test]
fn a_revoked_process_is_killed_at_once() {
    let mut bench = Bench::new(1);
    let arrival = bench.of(TaskOptions { isolate: Isolation::Process, ..TaskOptions::default() });
    let ticket = bench.run_one(arrival);
    bench.apply(Event::Revoked(vec![delivery(1).message.id]));
    assert_eq!(bench.aborted(), [ticket]);
}

#[test]
fn a_dead_child_is_blamed_and_the_third_one_buries_the_task() {
    let mut bench = Bench::new(1);
    let options = TaskOptions { isolate: Isolation::Process, ..TaskOptions::default() };
    let arrival = bench.of(options.clone());
    let ticket = bench.run_one(arrival);
    bench.end(ticket, Outcome::ChildDied("signal: 9".into()));
    assert_eq!(bench.verdict().verdict, Verdict::Release { cause: ReleaseCause::ChildDied });
    let mut arrival = bench.of(options);
    arrival.delivery.deaths = 2;
    let ticket = bench.run_one(arrival);
    bench.end(ticket, Outcome::ChildDied("signal: 9".into()));
    let settle = bench.verdict();
    assert!(matches!(settle.verdict, Verdict::Dead { reason: DeadReason::Poison, .. }));
    assert_eq!(settle.record.unwrap().state, TaskState::Failure);
}

#[test]
fn a_task_that_cannot_be_started_is_put_off_uncounted_and_fails_the_third_time() {
    let mut bench = Bench::new(1);
    let options = TaskOptions { isolate: Isolation::Process, ..TaskOptions::default() };
    for tries in 1..=3 {
        let arrival = Arrival { delivery: delivery(7), ..bench.of(options.clone()) };
        let ticket = bench.run_one(arrival);
        bench.end(ticket, Outcome::CannotStart("it was not ready".into()));
        let settle = bench.verdict();
        if tries < 3 {
            assert_eq!(settle.verdict, Verdict::Defer { until: bench.now.wall.plus(SECOND) });
            continue;
        }
        let record = settle.record.unwrap();
        assert_eq!((record.state, settle.follow_ups.len()), (TaskState::Retry, 1));
        assert_eq!(record.failure.unwrap().kind, TaskError::NOT_STARTED);
    }
}

#[test]
fn a_draining_worker_hands_back_what_waits_and_finishes_what_runs() {
    let mut bench = Bench::new(1);
    let (first, second) = (bench.plain(), bench.plain());
    bench.deliver(vec![first, second]);
    let running = bench.started();
    bench.apply(Event::Drain);
    bench.apply(Event::Drain);
    assert_eq!(bench.verdict().verdict, Verdict::Release { cause: ReleaseCause::Unstarted });
    bench.wait(24 * SECOND);
    assert!(bench.cancelled().is_empty());
    bench.succeed(running[0]);
    assert_eq!(bench.verdict().record.unwrap().state, TaskState::Success);
    assert_eq!(bench.finished(), None, "the verdicts are not stored");
    let settled = [1, 2].map(|n| (Ticket(n), Answer::Settled(Settled::Done)));
    bench.apply(Event::Settled(settled.to_vec()));
    assert_eq!(bench.finished(), Some(WorkerExit::Drained));
}

#[test]
fn after_the_grace_time_tasks_are_interrupted_and_nothing_counts_as_failed() {
    let mut bench = Bench::new(2);
    let (first, second) = (bench.plain(), bench.plain());
    bench.deliver(vec![first, second]);
    let running = bench.started();
    bench.apply(Event::Drain);
    bench.beat();
    bench.wait(25 * SECOND);
    assert_eq!(bench.cancelled(), [CancelReason::Shutdown; 2]);
    bench.end(running[0], failed("Cancelled"));
    bench.wait(SECOND);
    let verdicts = bench.verdicts();
    let interrupted = Verdict::Release { cause: ReleaseCause::Interrupted };
    assert!(verdicts.iter().all(|(_, settle)| settle.verdict == interrupted && settle.record.is_none()));
    assert_eq!(verdicts.len(), 2);
}

#[test]
fn a_stop_hands_everything_back_at_once() {
    let mut bench = Bench::new(2);
    let first = bench.plain();
    let early = bench.of(TaskOptions { ack: AckMode::Early, ..TaskOptions::default() });
    bench.deliver(vec![first, early]);
    let (early, _) = bench.verdicts()[0];
    bench.apply(Event::Settled(vec![(early, Answer::Settled(Settled::Done))]));
    bench.started();
    bench.apply(Event::Stop);
    assert_eq!(bench.verdict().verdict, Verdict::Release { cause: ReleaseCause::Interrupted });
    bench.apply(Event::CalledOff { ticket: early, begun: true });
    let unknown = bench.verdict().record.unwrap();
    assert_eq!(unknown.failure.unwrap().kind, "OutcomeUnknown");
    bench.wait(5 * SECOND);
    assert_eq!(bench.finished(), Some(WorkerExit::Drained), "even if the store never answers");
}

/// Delivers a task that has been acknowledged early and is about to start.
fn acknowledged_early(bench: &mut Bench) -> Ticket {
    let arrival = bench.of(TaskOptions { ack: AckMode::Early, ..TaskOptions::default() });
    bench.deliver(vec![arrival]);
    let ticket = bench.verdicts()[0].0;
    bench.apply(Event::Settled(vec![(ticket, Answer::Settled(Settled::Done))]));
    ticket
}

#[test]
fn a_stop_hands_back_what_was_acknowledged_early_and_has_not_begun() {
    let mut bench = Bench::new(1);
    let ticket = acknowledged_early(&mut bench);
    assert_eq!(bench.started(), [ticket]);
    bench.apply(Event::Stop);
    assert!(bench.verdicts().is_empty(), "it may have begun");
    bench.apply(Event::CalledOff { ticket, begun: false });
    assert_eq!(bench.verdict().verdict, Verdict::Release { cause: ReleaseCause::Unstarted });
}

#[test]
fn a_revoke_during_the_early_acknowledgement_keeps_the_task_from_running() {
    let mut bench = Bench::new(1);
    let arrival = bench.of(TaskOptions { ack: AckMode::Early, ..TaskOptions::default() });
    bench.deliver(vec![arrival]);
    let ticket = bench.verdicts()[0].0;
    bench.apply(Event::Revoked(vec![delivery(1).message.id]));
    bench.apply(Event::Settled(vec![(ticket, Answer::Settled(Settled::Done))]));
    assert_eq!(bench.started(), []);
    assert_eq!(bench.verdict().record.unwrap().state, TaskState::Revoked);
}

#[test]
fn a_revoke_that_is_told_before_its_claim_is_answered_counts() {
    let mut bench = Bench::new(2);
    let (first, second) = (bench.plain(), bench.plain());
    bench.apply(Event::Revoked(vec![delivery(1).message.id]));
    bench.wait(SECOND);
    bench.deliver(vec![first, second]);
    assert_eq!(bench.verdict().record.unwrap().state, TaskState::Revoked);
    assert_eq!(bench.started().len(), 1);
    let again = Arrival { delivery: delivery(1), ..bench.plain() };
    bench.deliver(vec![again]);
    assert_eq!(bench.started().len(), 1, "a later claim knows it from the store");
}

#[test]
fn a_revoked_run_that_was_called_off_before_it_began_is_recorded_as_revoked() {
    let mut bench = Bench::new(1);
    let arrival = bench.of(TaskOptions { isolate: Isolation::Process, ..TaskOptions::default() });
    let ticket = bench.run_one(arrival);
    bench.apply(Event::Revoked(vec![delivery(1).message.id]));
    bench.end(ticket, Outcome::NotStarted);
    let record = bench.verdict().record.unwrap();
    assert_eq!((record.state, record.started_at), (TaskState::Revoked, None));
}

#[test]
fn a_run_starts_on_a_lease_that_is_as_old_as_its_claim() {
    let mut bench = Bench::new(1);
    let asked = bench.now.boot;
    bench.wait(2 * SECOND);
    let arrival = bench.plain();
    bench.deliver(vec![arrival]);
    let since = bench.take(|command| match command {
        Command::Start(start) => Some(start.since),
        _ => None,
    });
    assert_eq!(since, [asked]);
}

fn refuse(bench: &mut Bench, ticket: Ticket) {
    bench.apply(Event::Settled(vec![(ticket, Answer::Refused(too_large()))]));
}

#[test]
fn an_end_that_the_store_refuses_becomes_a_failure_then_a_dead_letter_then_goes_back_once() {
    let mut bench = Bench::new(1);
    let arrival = bench.plain();
    let ticket = bench.run_one(arrival);
    bench.succeed(ticket);
    assert_eq!(bench.verdict().record.unwrap().state, TaskState::Success);
    refuse(&mut bench, ticket);
    let settle = bench.verdict();
    assert!(matches!(settle.verdict, Verdict::Dead { reason: DeadReason::NotStored, .. }));
    let failure = settle.record.as_ref().unwrap().failure.clone().unwrap();
    assert!(failure.message.contains("CD3012") && failure.message.contains("it does not fit"), "{failure}");
    assert_eq!(failure.details, "it had succeeded");
    assert!(settle.record.unwrap().started_at.is_some(), "it did run");
    refuse(&mut bench, ticket);
    let settle = bench.verdict();
    assert!(matches!(settle.verdict, Verdict::Dead { reason: DeadReason::NotStored, .. }));
    assert_eq!(settle.record, None);
    refuse(&mut bench, ticket);
    assert_eq!(bench.verdict().verdict, Verdict::Release { cause: ReleaseCause::Interrupted });
    refuse(&mut bench, ticket);
    assert_eq!(bench.verdicts().len(), 0, "nothing is left to try");
    bench.apply(Event::Drain);
    assert_eq!(bench.finished(), Some(WorkerExit::Drained), "leaving gives it back");
}

#[test]
fn what_goes_back_because_the_store_refuses_it_does_so_once() {
    let mut bench = Bench::new(1);
    let mut back = 0;
    for _ in 0..3 {
        let delivery = Delivery { redelivered: true, ..delivery(7) };
        let arrival = Arrival { delivery, ..bench.plain() };
        bench.deliver(vec![arrival]);
        let ticket = bench.begins()[0];
        bench.apply(Event::Begun { ticket, begun: Begun::Ended });
        assert_eq!(bench.verdict().verdict, Verdict::Ack);
        refuse(&mut bench, ticket);
        back += bench.verdicts().len();
    }
    assert_eq!(back, 1);
}

#[test]
fn a_refused_early_acknowledgement_ends_in_the_dead_letters_without_a_run() {
    let mut bench = Bench::new(1);
    let arrival = bench.of(TaskOptions { ack: AckMode::Early, ..TaskOptions::default() });
    bench.deliver(vec![arrival]);
    let ticket = bench.verdicts()[0].0;
    refuse(&mut bench, ticket);
    assert_eq!(bench.started(), []);
    let settle = bench.verdict();
    assert!(matches!(settle.verdict, Verdict::Dead { reason: DeadReason::NotStored, .. }));
    assert_eq!(bench.engine.credit(), 1, "the slot is free again");
}

#[test]
fn a_store_that_was_closed_is_asked_no_more() {
    let mut bench = Bench::new(1);
    let arrival = bench.plain();
    let ticket = bench.run_one(arrival);
    bench.succeed(ticket);
    bench.verdicts();
    let closed = Error::new(Code::StoreClosed, "closed");
    bench.apply(Event::Settled(vec![(ticket, Answer::Refused(closed))]));
    assert_eq!(bench.verdicts().len(), 0);
}

#[test]
fn events_are_told_to_watchers_and_an_end_only_when_it_is_stored() {
    let mut bench = Bench::new(1);
    bench.engine.watch(true);
    let arrival = bench.plain();
    let ticket = bench.run_one(arrival);
    bench.succeed(ticket);
    let kinds = |bench: &mut Bench| -> Vec<EventKind> {
        bench.engine.take_happenings().into_iter().map(|event| event.kind).collect()
    };
    assert_eq!(kinds(&mut bench), [EventKind::TaskReceived, EventKind::TaskStarted]);
    bench.apply(Event::Settled(vec![(ticket, Answer::Settled(Settled::Done))]));
    assert_eq!(kinds(&mut bench), [EventKind::TaskSucceeded]);
}

/// What may happen next, as chance has it. The number picks among what is possible.
#[derive(Debug, Clone, Copy)]
enum Chance {
    Claimed { count: usize, flavour: u8 },
    Answer(usize),
    End { pick: usize, how: u8 },
    Wait(u64),
    Beat,
    Revoke(u64),
    Drain,
    Stop,
}

fn chances() -> impl Strategy<Value = Vec<Chance>> {
    let chance = prop_oneof![
        6 => (1usize..40, any::<u8>()).prop_map(|(count, flavour)| Chance::Claimed { count, flavour }),
        8 => any::<usize>().prop_map(Chance::Answer),
        8 => (any::<usize>(), any::<u8>()).prop_map(|(pick, how)| Chance::End { pick, how }),
        4 => (0u64..3000).prop_map(Chance::Wait),
        2 => Just(Chance::Beat),
        2 => (0u64..60).prop_map(Chance::Revoke),
    ];
    let last = prop_oneof![Just(Chance::Drain), Just(Chance::Stop)];
    (prop::collection::vec(chance, 0..120), last).prop_map(|(mut chances, last)| {
        chances.push(last);
        chances
    })
}

/// Everything outside the engine, as far as it matters: what it owes answers for, and what it has been told.
struct World {
    bench: Bench,
    slots: usize,
    claim: Option<usize>,
    open: Vec<Command>,
    running: Vec<Ticket>,
    /// Final verdicts by tag; a lease that the store reports as lost is one.
    verdicts: BTreeMap<u64, u32>,
    claimed: u64,
    finished: bool,
}

impl World {
    fn new(slots: usize) -> Self {
        let mut world = Self {
            bench: Bench::new(slots),
            slots,
            claim: None,
            open: Vec::new(),
            running: Vec::new(),
            verdicts: BTreeMap::new(),
            claimed: 0,
            finished: false,
        };
        world.listen();
        world
    }

    fn listen(&mut self) {
        for command in std::mem::take(&mut self.bench.said) {
            match command {
                Command::Claim(max) => {
                    assert_eq!(self.claim, None, "two claims are under way");
                    assert!(max <= self.slots + 256, "too much credit: {max}");
                    self.claim = Some(max);
                }
                Command::StopClaiming => self.claim = None,
                Command::Start(start) => {
                    assert!(!self.running.contains(&start.ticket), "started twice");
                    self.running.push(start.ticket);
                    assert!(self.running.len() <= self.slots, "more runs than slots");
                }
                Command::Settle { ticket, settle } => {
                    if settle.verdict != Verdict::AckEarly {
                        *self.verdicts.entry(settle.lease.tag).or_default() += 1;
                    }
                    self.open.push(Command::Settle { ticket, settle });
                }
                Command::LookUp { .. } | Command::Begin { .. } | Command::CallOff(_) => {
                    self.open.push(command);
                }
                Command::Finish(_) => self.finished = true,
                Command::Cancel { .. } | Command::Abort(_) => {}
            }
        }
    }

    fn step(&mut self, chance: Chance) {
        match chance {
            Chance::Claimed { count, flavour } => self.claimed(count, flavour),
            Chance::Answer(pick) => self.answer(pick),
            Chance::End { pick, how } => self.end(pick, how),
            Chance::Wait(millis) => self.bench.wait(Duration::from_millis(millis)),
            Chance::Beat => self.bench.beat(),
            Chance::Revoke(n) => self.bench.apply(Event::Revoked(vec![delivery(n).message.id])),
            Chance::Drain => self.bench.apply(Event::Drain),
            Chance::Stop => self.bench.apply(Event::Stop),
        }
        self.listen();
    }

    fn claimed(&mut self, count: usize, flavour: u8) {
        let Some(max) = self.claim.take() else { return };
        let mut arrivals = Vec::new();
        for n in 0..count.min(max) {
            arrivals.push(self.arrival(flavour.wrapping_add(n as u8)));
            self.claimed += 1;
        }
        self.bench.deliver(arrivals);
    }

    fn arrival(&mut self, flavour: u8) -> Arrival {
        let bench = &mut self.bench;
        let mut arrival = match flavour % 7 {
            0 => bench.of(TaskOptions { ack: AckMode::Early, ..TaskOptions::default() }),
            1 => bench.arrival(blocking(limited(SECOND))),
            2 => bench.of(limited(SECOND)),
            3 => bench.of(TaskOptions { isolate: Isolation::Process, ..TaskOptions::default() }),
            _ => bench.plain(),
        };
        arrival.delivery.redelivered = flavour.is_multiple_of(5);
        arrival.delivery.deaths = u32::from(flavour.is_multiple_of(11));
        arrival.delivery.revoked = flavour.is_multiple_of(13);
        match flavour % 17 {
            0 => set_eta(&mut arrival, self.bench.now.wall.plus(SECOND)),
            1 => set_eta(&mut arrival, self.bench.now.wall.plus(9 * SECOND)),
            2 => arrival.content = Content::Unknown { task: "u".into(), expires: None, eta: None },
            3 => {
                let why = Undecodable { reason: DeadReason::Malformed, detail: String::new() };
                arrival.content = Content::Undecodable(why);
            }
            _ => {}
        }
        arrival
    }

    fn answer(&mut self, pick: usize) {
        if self.open.is_empty() {
            return;
        }
        let event = match self.open.remove(pick % self.open.len()) {
            Command::Settle { ticket, settle } => Event::Settled(vec![(ticket, self.settled(&settle, pick))]),
            Command::CallOff(ticket) => Event::CalledOff { ticket, begun: pick.is_multiple_of(2) },
            Command::LookUp { ticket, .. } => Event::LookedUp { ticket, known: pick.is_multiple_of(2) },
            Command::Begin { ticket, .. } => match pick % 6 {
                0 => Event::Begun { ticket, begun: Begun::Ended },
                1 => Event::NotBegun(ticket),
                _ => Event::Begun { ticket, begun: Begun::Run(RunNumber(2)) },
            },
            other => panic!("nothing is owed for {other:?}"),
        };
        self.bench.apply(event);
    }

    fn settled(&mut self, settle: &Settle, pick: usize) -> Answer {
        let early = settle.verdict == Verdict::AckEarly;
        let verdicts = self.verdicts.entry(settle.lease.tag).or_default();
        match pick % 10 {
            0 => {
                *verdicts += u32::from(early);
                Answer::Settled(Settled::LeaseLost)
            }
            // The last thing that is tried is to give it back. Then it stays with the worker.
            1 => {
                let last = matches!(settle.verdict, Verdict::Release { .. });
                *verdicts -= u32::from(!early && !last);
                Answer::Refused(too_large())
            }
            _ => Answer::Settled(Settled::Done),
        }
    }

    fn end(&mut self, pick: usize, how: u8) {
        if self.running.is_empty() {
            return;
        }
        let ticket = self.running.remove(pick % self.running.len());
        if how.is_multiple_of(3) {
            self.bench.engine.apply(Event::Began(ticket), self.bench.now);
        }
        self.bench.end(
            ticket,
            match how % 7 {
                6 => Outcome::CannotStart("no process".into()),
                0 => failed("E"),
                1 => Outcome::Aborted,
                2 => Outcome::NotStarted,
                3 => Outcome::ChildDied("signal: 9".into()),
                _ => Outcome::Succeeded(Bytes::new()),
            },
        );
    }

    /// Lets everything come to its end.
    fn settle_down(&mut self) {
        for _ in 0..10_000 {
            if self.finished {
                return;
            }
            self.step(Chance::Answer(3));
            self.step(Chance::End { pick: 0, how: 4 });
            if self.open.is_empty() && self.running.is_empty() {
                self.step(Chance::Wait(1000));
            }
        }
        panic!("it never ends");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn each_claimed_delivery_gets_exactly_one_final_verdict(slots in 1usize..6, chances in chances()) {
        let mut world = World::new(slots);
        for chance in chances {
            world.step(chance);
        }
        world.settle_down();
        prop_assert!(world.bench.engine.held.is_empty(), "something is still held");
        for tag in 1..=world.claimed {
            let count = world.verdicts.get(&tag).copied().unwrap_or(0);
            prop_assert!(count == 1, "delivery {tag} has {count} verdicts");
        }
    }
}

#[test]
fn a_run_whose_runtime_is_gone_is_handed_back_and_not_failed() {
    let mut bench = Bench::new(1);
    let arrival = bench.of(TaskOptions { retry: RetryPolicy::never(), ..TaskOptions::default() });
    let ticket = bench.run_one(arrival);
    bench.end(ticket, Outcome::Aborted);
    let settle = bench.verdict();
    assert_eq!(settle.verdict, Verdict::Release { cause: ReleaseCause::Interrupted });
    assert_eq!(settle.record, None);
}

#[test]
fn a_heartbeat_after_the_lease_lapsed_does_not_renew_what_was_claimed_before() {
    let mut bench = Bench::new(1);
    let (first, second) = (bench.plain(), bench.plain());
    bench.deliver(vec![first, second]);
    let ticket = bench.started()[0];
    // The process stood still; the first thing that it hears of is its own heartbeat.
    bench.now = Now { wall: bench.now.wall.plus(LEASE), boot: bench.now.boot.plus(LEASE) };
    bench.beat();
    assert_eq!(bench.verdict().verdict, Verdict::Release { cause: ReleaseCause::Unstarted });
    bench.succeed(ticket);
    assert!(bench.started().is_empty());
}
