//! Lives and deaths: what becomes of deliveries whose consumer leaves, dies or falls silent.

use std::sync::Arc;
use std::time::Duration;

use cardoon_core::rescue::POISON_DEATHS;
use cardoon_core::settle::Verdict;
use cardoon_core::{DeadReason, Lease};

use super::Harness;
use super::steps::{
    acknowledge, assert_nothing_ready, give, id, join, live, message, names, send_all, soon, start,
    sweep_until_found, take, take_many,
};
use crate::{Consumer, Delivery, Settled};

pub async fn closing_hands_back_the_unstarted_uncounted(harness: Arc<dyn Harness>) {
    let (leaving, other) = (join(&harness, "leaving").await, join(&harness, "other").await);
    send_all(harness.broker().as_ref(), &["a", "b"]).await;
    take_many(leaving.as_ref(), 2).await;
    soon("close", leaving.close()).await.expect("the consumer leaves");
    let taken = take_many(other.as_ref(), 2).await;
    assert_eq!(names(&taken), ["a", "b"]);
    assert!(taken.iter().all(|delivery| !delivery.must_register() && delivery.deaths == 0));
}

pub async fn closing_hands_back_the_started_as_redelivered(harness: Arc<dyn Harness>) {
    let (leaving, other) = (join(&harness, "leaving").await, join(&harness, "other").await);
    send_all(harness.broker().as_ref(), &["a"]).await;
    start(leaving.as_ref()).await;
    soon("close", leaving.close()).await.expect("the consumer leaves");
    let again = take(other.as_ref()).await;
    assert!(again.redelivered && again.must_register());
    assert_eq!(again.deaths, 0, "leaving is not dying");
}

pub async fn closing_hands_back_what_has_ended_as_redelivered(harness: Arc<dyn Harness>) {
    let (leaving, other) = (join(&harness, "leaving").await, join(&harness, "other").await);
    send_all(harness.broker().as_ref(), &["a"]).await;
    let delivery = start(leaving.as_ref()).await;
    leaving.mark_ended(delivery.lease);
    soon("close", leaving.close()).await.expect("the consumer leaves");
    assert!(take(other.as_ref()).await.must_register(), "it ran, so its next run is not the first");
}

pub async fn a_death_at_any_step_loses_nothing(harness: Arc<dyn Harness>) {
    let rescuer = join(&harness, "rescuer").await;
    for step in 0..4 {
        let name = format!("task-{step}");
        send_all(harness.broker().as_ref(), &[&name]).await;
        let victim = join(&harness, "victim").await;
        let delivery = take(victim.as_ref()).await;
        if step >= 1 {
            victim.mark_started(delivery.lease);
        }
        if step >= 2 {
            victim.mark_ended(delivery.lease);
        }
        if step >= 3 {
            // The settle is dropped as soon as it has been asked for.
            let settle = victim.settle(vec![crate::Settle::bare(delivery.lease, Verdict::Ack)]);
            drop(settle);
        }
        harness.kill(victim).await;
        let report = sweep_until_found(&harness, rescuer.as_ref()).await;
        assert_eq!(report.lost_workers, ["victim"]);
        let again = take(rescuer.as_ref()).await;
        assert_eq!(again.message, message(&name), "after a death at step {step}");
        assert!(again.must_register());
        acknowledge(rescuer.as_ref(), again.lease).await;
    }
}

pub async fn only_started_tasks_are_blamed(harness: Arc<dyn Harness>) {
    let (victim, rescuer) = (join(&harness, "victim").await, join(&harness, "rescuer").await);
    send_all(harness.broker().as_ref(), &["started", "waiting"]).await;
    let taken = take_many(victim.as_ref(), 2).await;
    victim.mark_started(taken[0].lease);
    harness.kill(victim).await;
    let report = sweep_until_found(&harness, rescuer.as_ref()).await;
    assert_eq!(report.requeued.len(), 2);
    let again = take_many(rescuer.as_ref(), 2).await;
    assert_eq!(names(&again), ["started", "waiting"], "in their old order, at the head");
    assert_eq!(again[1].deaths, 0, "the one that only waited is innocent");
    if harness.broker().capabilities().exact_blame {
        assert_eq!(again[0].deaths, 1);
    }
}

pub async fn a_task_whose_code_has_ended_is_not_blamed(harness: Arc<dyn Harness>) {
    let (victim, rescuer) = (join(&harness, "victim").await, join(&harness, "rescuer").await);
    send_all(harness.broker().as_ref(), &["a"]).await;
    let delivery = start(victim.as_ref()).await;
    victim.mark_ended(delivery.lease);
    harness.kill(victim).await;
    sweep_until_found(&harness, rescuer.as_ref()).await;
    assert_eq!(take(rescuer.as_ref()).await.deaths, 0);
}

pub async fn three_deaths_bury_a_task(harness: Arc<dyn Harness>) {
    if !harness.broker().capabilities().exact_blame {
        return;
    }
    let rescuer = join(&harness, "rescuer").await;
    send_all(harness.broker().as_ref(), &["poison"]).await;
    for deaths in 0..POISON_DEATHS {
        let victim = join(&harness, "victim").await;
        let delivery = start(victim.as_ref()).await;
        assert_eq!((delivery.deaths, delivery.redelivered), (deaths, deaths > 0));
        harness.kill(victim).await;
        sweep_until_found(&harness, rescuer.as_ref()).await;
    }
    if let Some(results) = harness.joined() {
        let record = results.record(&id("poison")).await.expect("its end is recorded");
        assert!(record.state.is_final() && record.failure.is_some());
    } else {
        let last = take(rescuer.as_ref()).await;
        assert!(last.deaths >= POISON_DEATHS, "it is handed over to be recorded, not to be executed");
        let verdict = Verdict::Dead { reason: DeadReason::Poison, detail: "three deaths".into() };
        assert_eq!(give(rescuer.as_ref(), last.lease, verdict).await, Settled::Done);
    }
    let letter = harness.broker().dead_letters().show(&id("poison")).await.expect("dead letters are shown");
    let letter = letter.expect("it is buried");
    assert_eq!((letter.reason, letter.message), (DeadReason::Poison, message("poison")));
    assert_nothing_ready(&harness, rescuer.as_ref()).await;
}

pub async fn an_early_task_of_a_dead_worker_ends_with_an_unknown_outcome(harness: Arc<dyn Harness>) {
    let (victim, rescuer) = (join(&harness, "victim").await, join(&harness, "rescuer").await);
    let (running, ended) =
        (early(&harness, &*victim, "running").await, early(&harness, &*victim, "ended").await);
    victim.mark_started(running);
    victim.mark_started(ended);
    victim.mark_ended(ended);
    harness.kill(victim).await;
    let report = sweep_until_found(&harness, rescuer.as_ref()).await;
    if let Some(results) = harness.joined() {
        assert_eq!(report.ended.len(), 2, "the sweep says that they ended");
        for name in ["running", "ended"] {
            let record = results.record(&id(name)).await.expect("its end is recorded");
            assert!(record.state.is_final() && record.failure.is_some());
        }
    } else {
        for last in take_many(rescuer.as_ref(), 2).await {
            assert!(last.outcome_unknown, "it is handed over to be recorded, not to be executed");
            acknowledge(rescuer.as_ref(), last.lease).await;
        }
    }
    assert_nothing_ready(&harness, rescuer.as_ref()).await;
}

pub async fn an_early_task_that_had_not_begun_is_rescued(harness: Arc<dyn Harness>) {
    if !harness.broker().capabilities().exact_blame {
        return;
    }
    let (victim, rescuer) = (join(&harness, "victim").await, join(&harness, "rescuer").await);
    early(&harness, victim.as_ref(), "early").await;
    harness.kill(victim).await;
    let report = sweep_until_found(&harness, rescuer.as_ref()).await;
    assert_eq!((report.requeued, report.ended), (vec![id("early")], vec![]));
    assert_unstarted(&take(rescuer.as_ref()).await);
}

pub async fn an_early_task_of_a_silent_consumer_is_rescued_if_it_had_not_begun(harness: Arc<dyn Harness>) {
    if !harness.broker().capabilities().exact_blame {
        return;
    }
    let (silent, rescuer) = (join(&harness, "silent").await, join(&harness, "rescuer").await);
    let (begun, waiting) =
        (early(&harness, &*silent, "begun").await, early(&harness, &*silent, "waiting").await);
    silent.mark_started(begun);
    silent.heartbeat().expect("the heartbeat is answered");
    let terms = harness.terms();
    live(&harness, rescuer.as_ref(), &[], terms.lease + terms.heartbeat).await;
    let mut again = take(rescuer.as_ref()).await;
    if harness.joined().is_none() {
        let other = take(rescuer.as_ref()).await;
        let unknown = std::mem::replace(&mut again, other);
        assert!(unknown.message.id == id("begun") && unknown.outcome_unknown);
        acknowledge(rescuer.as_ref(), unknown.lease).await;
    }
    assert_unstarted(&again);
    assert_eq!(again.message.id, id("waiting"));
    assert_eq!(give(silent.as_ref(), waiting, Verdict::Ack).await, Settled::LeaseLost);
    acknowledge(rescuer.as_ref(), again.lease).await;
    assert_nothing_ready(&harness, rescuer.as_ref()).await;
}

pub async fn closing_hands_back_an_early_task_that_had_not_begun(harness: Arc<dyn Harness>) {
    let (leaving, other) = (join(&harness, "leaving").await, join(&harness, "other").await);
    early(&harness, leaving.as_ref(), "early").await;
    soon("close", leaving.close()).await.expect("the consumer leaves");
    let again = take(other.as_ref()).await;
    assert!(!again.outcome_unknown && again.deaths == 0 && again.message.id == id("early"));
}

pub async fn a_silent_consumer_is_rescued_when_its_lease_has_lapsed(harness: Arc<dyn Harness>) {
    let (silent, rescuer) = (join(&harness, "silent").await, join(&harness, "rescuer").await);
    let old = holding(&harness, silent.as_ref()).await;
    let terms = harness.terms();
    let early = live(&harness, rescuer.as_ref(), &[], terms.lease.saturating_sub(terms.heartbeat)).await;
    assert_eq!(early, [], "nobody is rescued within his lease");
    let late = live(&harness, rescuer.as_ref(), &[], terms.heartbeat * 2).await;
    assert_eq!(late.len(), 1, "then it is, once");
    assert_eq!(late[0].lost_workers, ["silent"]);
    let again = take(rescuer.as_ref()).await;
    assert!(again.redelivered && again.deaths == 0, "silence is not death");
    assert_eq!(give(silent.as_ref(), old.lease, Verdict::Ack).await, Settled::LeaseLost);
    acknowledge(rescuer.as_ref(), again.lease).await;
}

pub async fn a_living_consumer_is_never_rescued(harness: Arc<dyn Harness>) {
    let (living, rescuer) = (join(&harness, "living").await, join(&harness, "rescuer").await);
    let held = holding(&harness, living.as_ref()).await;
    let found = live(&harness, rescuer.as_ref(), &[living.as_ref()], harness.terms().lease * 3).await;
    assert_eq!(found, []);
    acknowledge(living.as_ref(), held.lease).await;
}

pub async fn a_rescuer_that_was_away_watches_anew(harness: Arc<dyn Harness>) {
    let (held_up, rescuer) = (join(&harness, "held-up").await, join(&harness, "rescuer").await);
    let held = holding(&harness, held_up.as_ref()).await;
    // The machine, or the store, stands still for all of them.
    harness.pass(harness.terms().lease * 2).await;
    let report = soon("sweep", rescuer.sweep()).await.expect("the sweep is answered");
    assert_eq!(report.requeued, [], "silence proves nothing after a stall");
    held_up.heartbeat().expect("it beats again");
    let found = live(&harness, rescuer.as_ref(), &[held_up.as_ref()], harness.terms().lease * 2).await;
    assert_eq!(found, []);
    acknowledge(held_up.as_ref(), held.lease).await;
}

pub async fn a_step_of_the_wall_clock_rescues_nobody(harness: Arc<dyn Harness>) {
    // Leases are measured with the boot-time clock: a heartbeat's answer lies on it, one lease ahead.
    let consumer = join(&harness, "one").await;
    let before = harness.clock().boot();
    let until = consumer.heartbeat().expect("the heartbeat is answered");
    let after = harness.clock().boot();
    let lease = harness.terms().lease;
    assert!(until >= before.plus(lease) && until <= after.plus(lease), "{until:?} is not one lease ahead");
}

/// Sends a task that `holder` takes and acknowledges early.
async fn early(harness: &Arc<dyn Harness>, holder: &dyn Consumer, name: &str) -> Lease {
    send_all(harness.broker().as_ref(), &[name]).await;
    let lease = take(holder).await.lease;
    assert_eq!(give(holder, lease, Verdict::AckEarly).await, Settled::Done);
    lease
}

fn assert_unstarted(delivery: &Delivery) {
    assert!(!delivery.outcome_unknown, "it is executed");
    assert!(delivery.must_register() && delivery.deaths == 0);
}

async fn holding(harness: &Arc<dyn Harness>, consumer: &dyn Consumer) -> Delivery {
    harness.pass(Duration::from_millis(10)).await;
    send_all(harness.broker().as_ref(), &["a"]).await;
    let delivery = start(consumer).await;
    consumer.heartbeat().expect("the heartbeat is answered");
    delivery
}
