//! What is claimed, kept for its turn and handed back.

use std::time::Duration;

use cardoon_core::settle::{ReleaseCause, Verdict};

use super::bench::{Bench, LEASE, SECOND, delivery, set_eta};
use crate::engine::{Arrival, Command, Content, Now};

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
fn deliveries_that_wait_for_an_answer_stop_the_claims_before_they_fill_the_memory() {
    let mut bench = Bench::new(4);
    let mut claimed = 0;
    while !bench.claims().is_empty() && claimed < 10_000 {
        let content = || Content::Unknown { task: "new".into(), expires: None, eta: None };
        let arrivals: Vec<_> =
            (0..4).map(|n| Arrival { delivery: delivery(claimed + n), content: content() }).collect();
        claimed += 4;
        bench.deliver(arrivals);
    }
    assert!(claimed < 10_000, "nobody has answered who knows them");
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
