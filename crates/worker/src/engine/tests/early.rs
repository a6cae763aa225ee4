//! Acknowledgement before user code runs.

use cardoon_broker::Settled;
use cardoon_core::settle::{ReleaseCause, Verdict};
use cardoon_core::{DeadReason, TaskState};

use super::bench::{Bench, delivery, failed};
use crate::engine::{Answer, Event, Ticket};
use crate::{AckMode, TaskOptions};

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
fn a_refused_early_acknowledgement_ends_in_the_dead_letters_without_a_run() {
    let mut bench = Bench::new(1);
    let arrival = bench.of(TaskOptions { ack: AckMode::Early, ..TaskOptions::default() });
    bench.deliver(vec![arrival]);
    let ticket = bench.verdicts()[0].0;
    bench.refuse(ticket);
    assert_eq!(bench.started(), []);
    let settle = bench.verdict();
    assert!(matches!(settle.verdict, Verdict::Dead { reason: DeadReason::NotStored, .. }));
    assert_eq!(bench.engine.credit(), 1, "the slot is free again");
}
