//! Revokes: durable, and for tasks in every place.

use std::sync::Arc;

use cardoon_core::TaskState;

use super::Harness;
use super::steps::{acknowledge, assert_nothing_ready, id, join, send, send_all, soon, take, to_send};
use crate::{Broker, Consumer, Publish, Revoked};

pub async fn a_waiting_task_is_not_executed(harness: Arc<dyn Harness>) {
    let consumer = join(&harness, "one").await;
    send_all(harness.broker().as_ref(), &["a"]).await;
    assert_eq!(revoke(harness.broker().as_ref(), "a").await, Revoked::Waiting);
    assert_ends_revoked(&harness, consumer.as_ref(), "a").await;
}

pub async fn a_delayed_task_is_not_executed(harness: Arc<dyn Harness>) {
    let consumer = join(&harness, "one").await;
    let due = Some(harness.clock().now().plus(harness.terms().lease * 100));
    send(harness.broker().as_ref(), Publish { not_before: due, ..to_send("a") }).await;
    assert_eq!(revoke(harness.broker().as_ref(), "a").await, Revoked::Waiting);
    assert_ends_revoked(&harness, consumer.as_ref(), "a").await;
}

/// A joined store has recorded it; another one hands it over, now, to be recorded.
async fn assert_ends_revoked(harness: &Arc<dyn Harness>, consumer: &dyn Consumer, name: &str) {
    if let Some(results) = harness.joined() {
        let record = results.record(&id(name)).await.expect("the revoke is recorded");
        assert_eq!(record.state, TaskState::Revoked);
    } else {
        let delivery = take(consumer).await;
        assert!(delivery.revoked && delivery.message.id == id(name));
        acknowledge(consumer, delivery.lease).await;
    }
    assert_nothing_ready(harness, consumer).await;
}

pub async fn the_holder_of_a_task_is_told(harness: Arc<dyn Harness>) {
    let consumer = join(&harness, "one").await;
    send_all(harness.broker().as_ref(), &["a", "b"]).await;
    let delivery = take(consumer.as_ref()).await;
    let other = harness.second().await;
    let (told, answer) =
        tokio::join!(soon("a revoke that is told", consumer.revoked()), revoke(other.as_ref(), "a"));
    assert_eq!(answer, Revoked::Held);
    assert_eq!(told.expect("the wait is answered"), [id("a")]);
    acknowledge(consumer.as_ref(), delivery.lease).await;
    assert!(!take(consumer.as_ref()).await.revoked, "the other task is untouched");
}

pub async fn a_revoke_is_remembered(harness: Arc<dyn Harness>) {
    let consumer = join(&harness, "one").await;
    assert_eq!(revoke(harness.broker().as_ref(), "a").await, Revoked::Remembered);
    send(harness.broker().as_ref(), to_send("a")).await;
    let delivery = soon("claim", async {
        send_all(harness.broker().as_ref(), &["b"]).await;
        take(consumer.as_ref()).await
    })
    .await;
    // The store may hand it over marked, or have ended it already.
    assert!(delivery.revoked || delivery.message.id == id("b"));
}

pub async fn waiting_for_revokes_ends_with_the_consumer(harness: Arc<dyn Harness>) {
    let consumer = join(&harness, "one").await;
    let (told, closed) =
        tokio::join!(soon("the end of the wait", consumer.revoked()), soon("close", consumer.close()));
    closed.expect("the consumer leaves");
    assert_eq!(told.expect("the wait is answered"), []);
}

async fn revoke(broker: &dyn Broker, name: &str) -> Revoked {
    let answers = soon("revoke", broker.revoke(vec![id(name)])).await;
    answers.into_iter().next().expect("one answer for one item").expect("the revoke is answered")
}
