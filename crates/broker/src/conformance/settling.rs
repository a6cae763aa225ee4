//! Verdicts: who may give them, and what they do.

use std::sync::Arc;

use cardoon_core::rescue::POISON_DEATHS;
use cardoon_core::settle::{ReleaseCause, Verdict};
use cardoon_core::{DeadReason, TaskState};

use super::Harness;
use super::steps::{
    acknowledge, assert_nothing_ready, attempt, give, id, join, message, names, record, send_all, settle,
    start, sweep_until_found, take, take_many, to_send,
};
use crate::{Place, Publish, Settle, Settled};

pub async fn an_acknowledged_message_is_gone(harness: Arc<dyn Harness>) {
    let consumer = join(&harness, "one").await;
    send_all(harness.broker().as_ref(), &["a"]).await;
    acknowledge(consumer.as_ref(), take(consumer.as_ref()).await.lease).await;
    assert_nothing_ready(&harness, consumer.as_ref()).await;
    let found = harness.broker().inspect().locate(&id("a")).await.expect("the store is inspected");
    assert_eq!(found, None);
}

pub async fn an_old_lease_settles_nothing(harness: Arc<dyn Harness>) {
    let broker = harness.broker();
    let (lost, rescuer) = (join(&harness, "lost").await, join(&harness, "rescuer").await);
    send_all(broker.as_ref(), &["a"]).await;
    let old = start(lost.as_ref()).await;
    harness.kill(lost).await;
    sweep_until_found(&harness, rescuer.as_ref()).await;
    let new = take(rescuer.as_ref()).await;
    let late = Settle {
        record: harness.joined().map(|_| record(&harness, &old, 1, TaskState::Success)),
        follow_ups: vec![to_send("follow-up")],
        ..Settle::bare(old.lease, Verdict::Ack)
    };
    assert_eq!(settle(rescuer.as_ref(), late).await, Settled::LeaseLost);
    let dead = Verdict::Dead { reason: DeadReason::Malformed, detail: String::new() };
    assert_eq!(give(rescuer.as_ref(), old.lease, dead).await, Settled::LeaseLost);
    assert_nothing_ready(&harness, rescuer.as_ref()).await;
    if let Some(results) = harness.joined() {
        assert_eq!(results.record(&id("a")).await, None, "the late result was not stored");
    }
    acknowledge(rescuer.as_ref(), new.lease).await;
}

pub async fn a_lease_settles_once(harness: Arc<dyn Harness>) {
    let consumer = join(&harness, "one").await;
    send_all(harness.broker().as_ref(), &["a", "b"]).await;
    let lease = take(consumer.as_ref()).await.lease;
    acknowledge(consumer.as_ref(), lease).await;
    assert_eq!(give(consumer.as_ref(), lease, Verdict::Ack).await, Settled::LeaseLost);
    assert_eq!(take(consumer.as_ref()).await.message.id, id("b"), "the other message is untouched");
}

pub async fn a_follow_up_is_stored_with_the_verdict(harness: Arc<dyn Harness>) {
    let consumer = join(&harness, "one").await;
    send_all(harness.broker().as_ref(), &["a"]).await;
    let lease = start(consumer.as_ref()).await.lease;
    let retry = Publish { message: attempt("a", 1), ..to_send("a") };
    let verdict = Settle { follow_ups: vec![retry, to_send("next")], ..Settle::bare(lease, Verdict::Ack) };
    assert_eq!(settle(consumer.as_ref(), verdict).await, Settled::Done);
    let taken = take_many(consumer.as_ref(), 2).await;
    assert_eq!(names(&taken), ["a", "next"]);
    assert_eq!(taken[0].message.attempt, 1);
}

pub async fn record_and_follow_ups_are_stored_in_one_step(harness: Arc<dyn Harness>) {
    let Some(results) = harness.joined() else { return };
    let consumer = join(&harness, "one").await;
    send_all(harness.broker().as_ref(), &["a"]).await;
    let delivery = start(consumer.as_ref()).await;
    let success = record(&harness, &delivery, 1, TaskState::Success);
    let verdict = Settle {
        record: Some(success.clone()),
        follow_ups: vec![to_send("next")],
        ..Settle::bare(delivery.lease, Verdict::Ack)
    };
    assert_eq!(settle(consumer.as_ref(), verdict).await, Settled::Done);
    assert_eq!(results.record(&id("a")).await, Some(success));
    assert_eq!(take(consumer.as_ref()).await.message.id, id("next"));
}

pub async fn a_stale_run_stores_nothing_and_its_delivery_gives_way(harness: Arc<dyn Harness>) {
    let Some(results) = harness.joined() else { return };
    let consumer = join(&harness, "one").await;
    send_all(harness.broker().as_ref(), &["a"]).await;
    let delivery = start(consumer.as_ref()).await;
    assert!(results.begin(&id("a"), 0).await.is_some(), "another run takes over");
    let record = record(&harness, &delivery, 1, TaskState::Success);
    let pause = record.closing().gives_way_until.since(harness.clock().now());
    let late = Settle {
        record: Some(record),
        follow_ups: vec![to_send("follow-up")],
        ..Settle::bare(delivery.lease, Verdict::Ack)
    };
    assert_eq!(settle(consumer.as_ref(), late).await, Settled::StaleRun);
    assert_eq!(results.record(&id("a")).await, None);
    // At once it would make the run that took over stale in its turn.
    assert_nothing_ready(&harness, consumer.as_ref()).await;
    harness.pass(pause).await;
    // The run that took over may have lost its lease; then this delivery is all that is left of the task.
    let again = take(consumer.as_ref()).await;
    assert!(again.message.id == id("a") && again.must_register());
    acknowledge(consumer.as_ref(), again.lease).await;
    assert_nothing_ready(&harness, consumer.as_ref()).await;
}

pub async fn a_deferred_message_comes_back_when_it_is_due(harness: Arc<dyn Harness>) {
    let consumer = join(&harness, "one").await;
    send_all(harness.broker().as_ref(), &["a"]).await;
    let delay = harness.terms().heartbeat;
    let until = harness.clock().now().plus(delay);
    let lease = take(consumer.as_ref()).await.lease;
    assert_eq!(give(consumer.as_ref(), lease, Verdict::Defer { until }).await, Settled::Done);
    assert_nothing_ready(&harness, consumer.as_ref()).await;
    harness.pass(delay).await;
    let again = take(consumer.as_ref()).await;
    assert_eq!(again.message, message("a"));
    assert!(!again.redelivered && again.deaths == 0, "a deferral is not an attempt");
}

pub async fn an_unstarted_release_goes_to_the_head_uncounted(harness: Arc<dyn Harness>) {
    let consumer = join(&harness, "one").await;
    send_all(harness.broker().as_ref(), &["a", "b"]).await;
    let lease = take(consumer.as_ref()).await.lease;
    let release = Verdict::Release { cause: ReleaseCause::Unstarted };
    assert_eq!(give(consumer.as_ref(), lease, release).await, Settled::Done);
    let taken = take_many(consumer.as_ref(), 2).await;
    assert_eq!(names(&taken), ["a", "b"], "it is first again");
    assert!(!taken[0].redelivered && !taken[0].must_register() && taken[0].deaths == 0);
}

pub async fn an_interrupted_release_is_redelivered(harness: Arc<dyn Harness>) {
    let consumer = join(&harness, "one").await;
    send_all(harness.broker().as_ref(), &["a"]).await;
    let lease = start(consumer.as_ref()).await.lease;
    let release = Verdict::Release { cause: ReleaseCause::Interrupted };
    assert_eq!(give(consumer.as_ref(), lease, release).await, Settled::Done);
    let again = take(consumer.as_ref()).await;
    assert!(again.redelivered && again.must_register());
    assert_eq!(again.deaths, 0, "nobody died");
    let release = Verdict::Release { cause: ReleaseCause::Unstarted };
    assert_eq!(give(consumer.as_ref(), again.lease, release).await, Settled::Done);
    assert!(take(consumer.as_ref()).await.redelivered, "the mark stays");
}

pub async fn a_child_that_dies_three_times_buries_its_task(harness: Arc<dyn Harness>) {
    let consumer = join(&harness, "one").await;
    send_all(harness.broker().as_ref(), &["a"]).await;
    for deaths in 0..POISON_DEATHS {
        let delivery = start(consumer.as_ref()).await;
        assert_eq!(delivery.deaths, deaths);
        let died = Verdict::Release { cause: ReleaseCause::ChildDied };
        assert_eq!(give(consumer.as_ref(), delivery.lease, died).await, Settled::Done);
    }
    let letter = harness.broker().dead_letters().show(&id("a")).await.expect("dead letters are shown");
    assert_eq!(letter.expect("it is buried").reason, DeadReason::Poison);
    assert_nothing_ready(&harness, consumer.as_ref()).await;
}

pub async fn a_task_acknowledged_early_stays_with_its_holder(harness: Arc<dyn Harness>) {
    let consumer = join(&harness, "one").await;
    send_all(harness.broker().as_ref(), &["a"]).await;
    let lease = take(consumer.as_ref()).await.lease;
    assert_eq!(give(consumer.as_ref(), lease, Verdict::AckEarly).await, Settled::Done);
    consumer.mark_started(lease);
    assert_nothing_ready(&harness, consumer.as_ref()).await;
    let (_, place) = harness
        .broker()
        .inspect()
        .locate(&id("a"))
        .await
        .expect("the store is inspected")
        .expect("it is still held");
    assert_eq!(place, Place::Held { worker: "one".into(), started: true });
    acknowledge(consumer.as_ref(), lease).await;
}
