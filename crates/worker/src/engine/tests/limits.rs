//! Time limits, and what does not keep them.

use std::sync::Arc;

use cardoon_broker::Settled;
use cardoon_core::{RetryPolicy, TaskState};

use super::bench::{Bench, SECOND, blocking, limited};
use crate::engine::{Answer, Event, Outcome};
use crate::{CancelReason, TaskError, TaskOptions, WorkerExit};

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
