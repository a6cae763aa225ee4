//! Verdicts that the store refuses.

use cardoon_broker::Delivery;
use cardoon_core::settle::{ReleaseCause, Verdict};
use cardoon_core::{DeadReason, TaskState};
use cardoon_errors::{Code, Error};
use cardoon_results::Begun;

use super::bench::{Bench, delivery};
use crate::WorkerExit;
use crate::engine::{Answer, Arrival, Event};

#[test]
fn an_end_that_the_store_refuses_becomes_a_failure_then_a_dead_letter_then_goes_back_once() {
    let mut bench = Bench::new(1);
    let arrival = bench.plain();
    let ticket = bench.run_one(arrival);
    bench.succeed(ticket);
    assert_eq!(bench.verdict().record.unwrap().state, TaskState::Success);
    bench.refuse(ticket);
    let settle = bench.verdict();
    assert!(matches!(settle.verdict, Verdict::Dead { reason: DeadReason::NotStored, .. }));
    let failure = settle.record.as_ref().unwrap().failure.clone().unwrap();
    assert!(failure.message.contains("CD3012") && failure.message.contains("it does not fit"), "{failure}");
    assert_eq!(failure.details, "it had succeeded");
    assert!(settle.record.unwrap().started_at.is_some(), "it did run");
    bench.refuse(ticket);
    let settle = bench.verdict();
    assert!(matches!(settle.verdict, Verdict::Dead { reason: DeadReason::NotStored, .. }));
    assert_eq!(settle.record, None);
    bench.refuse(ticket);
    assert_eq!(bench.verdict().verdict, Verdict::Release { cause: ReleaseCause::Interrupted });
    bench.refuse(ticket);
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
        bench.refuse(ticket);
        back += bench.verdicts().len();
    }
    assert_eq!(back, 1);
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
