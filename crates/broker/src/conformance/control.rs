//! Steering: pauses of queues, and orders to workers.

use std::sync::Arc;

use super::Harness;
use super::steps::{
    acknowledge, assert_nothing_ready, join, join_queues, names, queue, send, send_all, soon, take,
    take_many, to_send,
};
use crate::{Broker, Order, Publish};

pub async fn nothing_is_taken_from_a_paused_queue(harness: Arc<dyn Harness>) {
    let broker = harness.broker();
    let consumer = join_queues(&harness, broker.as_ref(), "one", &["mail", "report"]).await;
    send_all(broker.as_ref(), &["before"]).await;
    assert!(pause(broker.as_ref(), "mail").await, "it was not paused");
    assert!(!pause(broker.as_ref(), "mail").await, "it was");
    send_all(broker.as_ref(), &["after"]).await;
    for name in ["other", "another"] {
        send(broker.as_ref(), Publish { queue: queue("report"), ..to_send(name) }).await;
        let taken = soon("a claim", consumer.claim(100)).await.expect("the claim is answered");
        assert_eq!(names(&taken), [name], "what is not paused is taken, and nothing else");
        acknowledge(consumer.as_ref(), taken[0].lease).await;
    }
    assert!(resume(broker.as_ref(), "mail").await, "it was paused");
    assert!(!resume(broker.as_ref(), "mail").await, "it was not");
    assert_eq!(names(&take_many(consumer.as_ref(), 2).await), ["before", "after"]);
}

pub async fn a_pause_is_seen_by_all_and_survives_reopening(harness: Arc<dyn Harness>) {
    pause(harness.broker().as_ref(), "mail").await;
    let other = harness.second().await;
    assert_eq!(paused(other.as_ref()).await, ["mail"]);
    let broker = harness.reopen().await.unwrap_or(other);
    assert_eq!(paused(broker.as_ref()).await, ["mail"]);
    resume(broker.as_ref(), "mail").await;
    assert_eq!(paused(broker.as_ref()).await, [""; 0]);
}

pub async fn a_waiting_claim_wakes_when_its_queue_is_resumed(harness: Arc<dyn Harness>) {
    let consumer = join(&harness, "one").await;
    pause(harness.broker().as_ref(), "mail").await;
    send_all(harness.broker().as_ref(), &["a"]).await;
    let other = harness.second().await;
    let (taken, _) =
        tokio::join!(soon("a claim that wakes", consumer.claim(1)), resume(other.as_ref(), "mail"));
    assert_eq!(names(&taken.expect("the claim is answered")), ["a"]);
}

pub async fn what_is_held_when_its_queue_is_paused_ends_as_usual(harness: Arc<dyn Harness>) {
    let consumer = join(&harness, "one").await;
    send_all(harness.broker().as_ref(), &["a"]).await;
    let held = take(consumer.as_ref()).await;
    pause(harness.broker().as_ref(), "mail").await;
    acknowledge(consumer.as_ref(), held.lease).await;
    resume(harness.broker().as_ref(), "mail").await;
    assert_nothing_ready(&harness, consumer.as_ref()).await;
}

pub async fn an_order_reaches_its_worker_alone(harness: Arc<dyn Harness>) {
    let (one, two) = (join(&harness, "one").await, join(&harness, "two").await);
    let other = harness.second().await;
    assert!(order(other.as_ref(), two.session(), Order::Stop).await);
    assert!(order(other.as_ref(), one.session(), Order::Drain).await);
    for (consumer, given) in [(&one, Order::Drain), (&two, Order::Stop)] {
        consumer.heartbeat().expect("the heartbeat is answered");
        let told = soon("an order", consumer.ordered()).await.expect("the wait is answered");
        assert_eq!(told, Some(given));
    }
    one.close().await.expect("the consumer leaves");
    assert!(!order(other.as_ref(), one.session(), Order::Stop).await, "nobody is there any more");
}

pub async fn waiting_for_orders_ends_with_the_consumer(harness: Arc<dyn Harness>) {
    let consumer = join(&harness, "one").await;
    let (told, closed) =
        tokio::join!(soon("the end of the wait", consumer.ordered()), soon("close", consumer.close()));
    closed.expect("the consumer leaves");
    assert_eq!(told.expect("the wait is answered"), None);
}

async fn pause(broker: &dyn Broker, name: &str) -> bool {
    soon("pause", broker.control().pause(&queue(name))).await.expect("the queue is paused")
}

async fn resume(broker: &dyn Broker, name: &str) -> bool {
    soon("resume", broker.control().resume(&queue(name))).await.expect("the queue is resumed")
}

async fn order(broker: &dyn Broker, session: u64, order: Order) -> bool {
    soon("order", broker.control().order(session, order)).await.expect("the order is given")
}

async fn paused(broker: &dyn Broker) -> Vec<String> {
    let queues = broker.inspect().queues().await.expect("queues are shown").into_iter();
    queues.filter(|stats| stats.paused).map(|stats| stats.queue.to_string()).collect()
}
