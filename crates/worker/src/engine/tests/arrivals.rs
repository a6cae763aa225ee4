//! Deliveries that end without a run.

use std::time::Duration;

use cardoon_broker::Delivery;
use cardoon_core::settle::Verdict;
use cardoon_core::{DeadReason, RunNumber, TaskState};
use cardoon_protocol::Undecodable;
use cardoon_results::Begun;

use super::bench::{Bench, SECOND, delivery};
use crate::engine::{Arrival, Command, Content, Event};

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
