//! Taking: who gets what, and when a waiting claim wakes.

use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use cardoon_core::settle::Verdict;

use super::Harness;
use super::steps::{
    give, id, join, join_queues, names, queue, send, send_all, soon, take, take_many, to_send,
};
use crate::{Consumer, Delivery, Place, Publish, Settled};
use cardoon_errors::Result;

pub async fn a_waiting_claim_wakes_for_a_message(harness: Arc<dyn Harness>) {
    let broker = harness.broker();
    let consumer = join(&harness, "one").await;
    let woken = while_waiting(consumer.as_ref(), async {
        send_all(broker.as_ref(), &["a"]).await;
    });
    assert_eq!(names(&woken.await), ["a"]);
}

pub async fn a_waiting_claim_wakes_for_a_message_of_another_handle(harness: Arc<dyn Harness>) {
    let sender = harness.second().await;
    let consumer = join(&harness, "one").await;
    let woken = while_waiting(consumer.as_ref(), async {
        send_all(sender.as_ref(), &["a"]).await;
    });
    assert_eq!(names(&woken.await), ["a"]);
}

pub async fn a_waiting_claim_wakes_when_a_message_becomes_due(harness: Arc<dyn Harness>) {
    let broker = harness.broker();
    let consumer = join(&harness, "one").await;
    let delay = harness.terms().heartbeat;
    let woken = while_waiting(consumer.as_ref(), async {
        let due = harness.clock().now().plus(delay);
        send(broker.as_ref(), Publish { not_before: Some(due), ..to_send("a") }).await;
        harness.pass(delay).await;
    });
    assert_eq!(names(&woken.await), ["a"]);
}

/// What a claim takes that waited already when `event` began.
async fn while_waiting(consumer: &dyn Consumer, event: impl Future<Output = ()>) -> Vec<Delivery> {
    let mut claim = consumer.claim(10);
    assert!(poll_once(&mut claim).await.is_none(), "there is nothing to take yet");
    let (woken, ()) = soon("a claim that wakes", async { tokio::join!(claim, event) }).await;
    woken.expect("the claim is answered")
}

async fn poll_once<F: Future<Output = Result<Vec<Delivery>>> + Unpin>(future: &mut F) -> Option<F::Output> {
    std::future::poll_fn(|context| match std::pin::Pin::new(&mut *future).poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

pub async fn a_dropped_claim_loses_nothing(harness: Arc<dyn Harness>) {
    let broker = harness.broker();
    let consumer = join(&harness, "one").await;
    // Each claim is dropped at another point of its way: before, while and after the message is stored.
    for round in 0..50 {
        let name = format!("task-{round}");
        let mut claim = consumer.claim(1);
        let early = poll_once(&mut claim).await;
        send(broker.as_ref(), to_send(&name)).await;
        for _ in 0..round % 5 {
            tokio::task::yield_now().await;
        }
        let taken = match early {
            None if round % 2 == 0 => poll_once(&mut claim).await,
            taken => taken,
        };
        drop(claim);
        let delivery = match taken {
            Some(taken) => taken.expect("the claim is answered").remove(0),
            None => take(consumer.as_ref()).await,
        };
        assert_eq!(delivery.message.id.as_str(), name);
    }
}

pub async fn queues_are_taken_from_in_turn(harness: Arc<dyn Harness>) {
    let broker = harness.broker();
    for name in ["m1", "m2", "m3", "m4"] {
        send(broker.as_ref(), to_send(name)).await;
    }
    for name in ["r1", "r2"] {
        send(broker.as_ref(), Publish { queue: queue("report"), ..to_send(name) }).await;
    }
    let consumer = join_queues(&harness, broker.as_ref(), "one", &["mail", "report"]).await;
    let mut taken = Vec::new();
    for _ in 0..4 {
        taken.push(take(consumer.as_ref()).await);
    }
    let reports = names(&taken).iter().filter(|name| name.starts_with('r')).count();
    assert_eq!(reports, 2, "a long queue starves no other one: {:?}", names(&taken));
}

pub async fn a_message_is_handed_to_one_consumer(harness: Arc<dyn Harness>) {
    const COUNT: usize = 200;
    let names: Vec<String> = (0..COUNT).map(|n| format!("task-{n}")).collect();
    let batch = names.iter().map(|name| to_send(name)).collect();
    soon("publish", harness.broker().publish(batch)).await;
    let one = join(&harness, "one").await;
    let second = harness.second().await;
    let two = join_queues(&harness, second.as_ref(), "two", &["mail"]).await;
    let (first, second) =
        tokio::join!(take_many(one.as_ref(), COUNT / 2), take_many(two.as_ref(), COUNT / 2));
    let mut ids: Vec<_> = first.iter().chain(&second).map(|delivery| delivery.message.id.clone()).collect();
    let mut leases: Vec<_> = first.iter().chain(&second).map(|delivery| delivery.lease).collect();
    ids.sort();
    ids.dedup();
    leases.sort();
    leases.dedup();
    assert_eq!((ids.len(), leases.len()), (COUNT, COUNT), "each message and each lease once");
}

pub async fn a_message_sent_again_has_to_register(harness: Arc<dyn Harness>) {
    send(harness.broker().as_ref(), Publish { resent: true, ..to_send("again") }).await;
    send(harness.broker().as_ref(), to_send("fresh")).await;
    let taken = take_many(join(&harness, "one").await.as_ref(), 2).await;
    assert_eq!(taken[0].message.id, id("again"));
    assert!(taken[0].resent && taken[0].must_register());
    assert!(!taken[1].must_register(), "the usual path writes nothing");
}

pub async fn a_delayed_message_can_be_taken_before_its_time(harness: Arc<dyn Harness>) {
    let broker = harness.broker();
    let due = harness.clock().now().plus(Duration::from_hours(1));
    for (name, queue_name) in [("a", "mail"), ("b", "mail"), ("other", "post")] {
        let queue = queue(queue_name);
        send(broker.as_ref(), Publish { queue, not_before: Some(due), ..to_send(name) }).await;
    }
    let consumer = join(&harness, "one").await;
    let taken = soon("claim", consumer.claim_delayed(10)).await.expect("the claim is answered");
    let found: Vec<_> = taken.iter().map(|(delivery, due)| (delivery.message.id.as_str(), *due)).collect();
    assert_eq!(found, [("a", due), ("b", due)], "of its queues, with their times");
    assert!(soon("claim", consumer.claim_delayed(10)).await.expect("the claim is answered").is_empty());
    assert_eq!(give(consumer.as_ref(), taken[0].0.lease, Verdict::Ack).await, Settled::Done);
    let later = Verdict::Defer { until: due };
    assert_eq!(give(consumer.as_ref(), taken[1].0.lease, later).await, Settled::Done);
    let located = async |name| broker.inspect().locate(&id(name)).await.expect("the store is inspected");
    assert_eq!(located("a").await, None);
    let (_, place) = located("b").await.expect("it waits again");
    assert_eq!(place, Place::Delayed { until: due });
    consumer.claim_delayed(10).await.expect("the claim is answered");
    consumer.close().await.expect("the consumer leaves");
    let (_, place) = located("b").await.expect("it is handed back");
    assert_eq!(place, Place::Ready);
}

pub async fn what_is_left_to_others_waits_for_them(harness: Arc<dyn Harness>) {
    let broker = harness.broker();
    let (old, new) = (join(&harness, "old").await, join(&harness, "new").await);
    old.leave_to_others(&queue("mail"), "only.new");
    let mut only_new = to_send("a");
    only_new.message.task = "only.new".into();
    only_new.message.headers = r#"{"lang":"rs","task":"only.new","id":"a","retries":0}"#.into();
    send(broker.as_ref(), only_new).await;
    send(broker.as_ref(), to_send("b")).await;
    assert_eq!(names(&take_many(old.as_ref(), 1).await), ["b"]);
    assert_eq!(names(&take_many(new.as_ref(), 1).await), ["a"]);
}
