//! Revokes, wherever the task is.

use cardoon_core::TaskState;

use super::bench::{Bench, SECOND, delivery};
use crate::engine::{Arrival, Event, Outcome};
use crate::{CancelReason, Isolation, TaskOptions};

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
