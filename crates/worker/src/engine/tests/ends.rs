//! How runs end, and what follows.

use cardoon_broker::Settled;
use cardoon_core::settle::{ReleaseCause, Verdict};
use cardoon_core::{DeadReason, EventKind, RetryHint, RetryPolicy, RunNumber, TaskState};
use cardoon_results::Begun;

use super::bench::{Bench, SECOND, delivery, failed};
use crate::engine::{Answer, Arrival, Event, Outcome};
use crate::{Isolation, TaskError, TaskOptions};

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
fn events_are_told_to_watchers_and_an_end_only_when_it_is_stored() {
    let mut bench = Bench::new(1);
    bench.engine.watch(true);
    let arrival = bench.plain();
    let ticket = bench.run_one(arrival);
    bench.succeed(ticket);
    let kinds = |bench: &mut Bench| -> Vec<EventKind> {
        bench.happenings().into_iter().map(|event| event.kind).collect()
    };
    assert_eq!(kinds(&mut bench), [EventKind::TaskReceived, EventKind::TaskStarted]);
    bench.apply(Event::Settled(vec![(ticket, Answer::Settled(Settled::Done))]));
    assert_eq!(kinds(&mut bench), [EventKind::TaskSucceeded]);
}

#[test]
fn a_busy_worker_counts_what_goes_well_and_tells_each_failure() {
    const RUNS: u64 = 400;
    const LAST: u64 = RUNS - 1;
    let mut bench = Bench::new(1);
    bench.engine.watch(true);
    for n in 0..RUNS {
        let arrival = bench.of(TaskOptions { retry: RetryPolicy::never(), ..TaskOptions::default() });
        let ticket = bench.run_one(arrival);
        match n {
            LAST => bench.end(ticket, failed("broken")),
            _ => bench.succeed(ticket),
        }
        bench.apply(Event::Settled(vec![(ticket, Answer::Settled(Settled::Done))]));
    }
    let one_by_one = bench.happenings();
    assert!(one_by_one.iter().all(|event| event.count.is_none()));
    assert!(one_by_one.iter().any(|event| event.kind == EventKind::TaskFailed));
    let at = bench.engine.next_deadline(bench.now).expect("the rest is told soon");
    bench.wait(at.since(bench.now.boot));
    let counted = bench.happenings();
    let total = |kind| -> u64 {
        one_by_one
            .iter()
            .chain(&counted)
            .filter(|event| event.kind == kind)
            .map(cardoon_core::Event::times)
            .sum()
    };
    assert_eq!((total(EventKind::TaskStarted), total(EventKind::TaskSucceeded)), (RUNS, RUNS - 1));
    assert_eq!(counted.len(), 3, "{counted:?}");
}
