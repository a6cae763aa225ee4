//! How a worker leaves.

use cardoon_broker::Settled;
use cardoon_core::TaskState;
use cardoon_core::settle::{ReleaseCause, Verdict};

use super::bench::{Bench, SECOND, failed};
use crate::engine::{Answer, Event, Ticket};
use crate::{AckMode, CancelReason, TaskOptions, WorkerExit};

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
