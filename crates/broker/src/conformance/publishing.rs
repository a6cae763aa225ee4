//! Sending: what is stored, in which order it leaves, how long it waits.

use std::sync::Arc;
use std::time::Duration;

use cardoon_core::{Message, Priority, Timestamp};
use cardoon_errors::Code;

use super::Harness;
use super::steps::{
    assert_nothing_ready, attempt, id, join, message, names, send, send_all, soon, take, take_many, to_send,
};
use crate::{Publish, Published};

pub async fn each_item_of_a_batch_is_answered(harness: Arc<dyn Harness>) {
    let batch = ["a", "b", "a", "c"].map(to_send).to_vec();
    let answers = soon("publish", harness.broker().publish(batch)).await;
    let answers: Vec<_> = answers.into_iter().map(|answer| answer.expect("all are accepted")).collect();
    assert_eq!(answers[0], Published::Stored);
    assert_eq!(answers[1], Published::Stored);
    assert_eq!(answers[3], Published::Stored);
    if harness.broker().capabilities().unique_messages {
        assert_eq!(answers[2], Published::Duplicate, "the repeated item alone is a duplicate");
    }
}

pub async fn a_repeated_message_is_stored_once(harness: Arc<dyn Harness>) {
    if !harness.broker().capabilities().unique_messages {
        return;
    }
    let broker = harness.broker();
    let consumer = join(&harness, "one").await;
    let again = || Publish { resent: true, ..to_send("a") };
    send_all(broker.as_ref(), &["a"]).await;
    assert_eq!(send(broker.as_ref(), again()).await, Published::Duplicate, "while it is ready");
    let held = take(consumer.as_ref()).await;
    assert_eq!(send(broker.as_ref(), again()).await, Published::Duplicate, "while it is held");
    assert_eq!(held.message, message("a"));
    assert_nothing_ready(&harness, consumer.as_ref()).await;
}

pub async fn a_later_attempt_is_a_message_of_its_own(harness: Arc<dyn Harness>) {
    let broker = harness.broker();
    send_all(broker.as_ref(), &["a"]).await;
    let retry = Publish { message: attempt("a", 1), ..to_send("a") };
    assert_eq!(send(broker.as_ref(), retry).await, Published::Stored);
    let taken = take_many(join(&harness, "one").await.as_ref(), 2).await;
    assert_eq!(taken.iter().map(|delivery| delivery.message.attempt).collect::<Vec<_>>(), [0, 1]);
    assert!(taken[1].must_register(), "a later attempt registers");
}

pub async fn messages_of_one_priority_leave_in_the_order_they_came(harness: Arc<dyn Harness>) {
    send_all(harness.broker().as_ref(), &["a", "b", "c", "d"]).await;
    let taken = take_many(join(&harness, "one").await.as_ref(), 4).await;
    assert_eq!(names(&taken), ["a", "b", "c", "d"]);
}

pub async fn urgent_messages_leave_first(harness: Arc<dyn Harness>) {
    if harness.broker().capabilities().priorities < 10 {
        return;
    }
    for (name, level) in [("low", 0), ("usual", 4), ("urgent", 9), ("usual-2", 4)] {
        let message = Message { priority: Priority::new(level), ..message(name) };
        send(harness.broker().as_ref(), Publish { message, ..to_send(name) }).await;
    }
    let taken = take_many(join(&harness, "one").await.as_ref(), 4).await;
    assert_eq!(names(&taken), ["urgent", "usual", "usual-2", "low"]);
}

pub async fn a_delayed_message_waits_until_it_is_due(harness: Arc<dyn Harness>) {
    let consumer = join(&harness, "one").await;
    let delay = harness.terms().heartbeat;
    let due = harness.clock().now().plus(delay);
    send(harness.broker().as_ref(), Publish { not_before: Some(due), ..to_send("later") }).await;
    assert_nothing_ready(&harness, consumer.as_ref()).await;
    harness.pass(delay).await;
    assert_eq!(take(consumer.as_ref()).await.message.id, id("later"));
    assert!(harness.clock().now() >= due, "it came before its time");
}

pub async fn a_due_message_joins_the_back_of_its_priority(harness: Arc<dyn Harness>) {
    let delay = harness.terms().heartbeat;
    let due = harness.clock().now().plus(delay);
    send(harness.broker().as_ref(), Publish { not_before: Some(due), ..to_send("delayed") }).await;
    send_all(harness.broker().as_ref(), &["waiting"]).await;
    harness.pass(delay + Duration::from_millis(50)).await;
    let taken = take_many(join(&harness, "one").await.as_ref(), 2).await;
    assert_eq!(names(&taken), ["waiting", "delayed"]);
}

pub async fn what_was_acknowledged_survives_reopening(harness: Arc<dyn Harness>) {
    let delay = harness.terms().lease;
    let due = harness.clock().now().plus(delay);
    send_all(harness.broker().as_ref(), &["ready"]).await;
    send(harness.broker().as_ref(), Publish { not_before: Some(due), ..to_send("delayed") }).await;
    let Some(broker) = harness.reopen().await else { return };
    for name in ["ready", "delayed"] {
        let found = broker.inspect().locate(&id(name)).await.expect("the store is inspected");
        assert_eq!(found.map(|(waiting, _)| waiting.message), Some(message(name)));
    }
    let consumer = join(&harness, "one").await;
    assert_eq!(take(consumer.as_ref()).await.message, message("ready"));
    harness.pass(delay).await;
    assert_eq!(take(consumer.as_ref()).await.message, message("delayed"));
}

pub async fn a_batch_of_ten_thousand_is_stored_and_taken(harness: Arc<dyn Harness>) {
    const COUNT: usize = 10_000;
    let sent: Vec<String> = (0..COUNT).map(|n| format!("task-{n:05}")).collect();
    let batch = sent.iter().map(|name| to_send(name)).collect();
    let answers = soon("publish", harness.broker().publish(batch)).await;
    assert_eq!(answers.len(), COUNT);
    assert!(answers.iter().all(|answer| matches!(answer, Ok(Published::Stored))));
    let consumer = join(&harness, "one").await;
    let taken = take_many(consumer.as_ref(), COUNT).await;
    assert_eq!(names(&taken), sent);
}

pub async fn a_message_that_expired_is_handed_out_all_the_same(harness: Arc<dyn Harness>) {
    // Whoever takes it records that it expired; a broker that dropped it would leave its caller waiting.
    let headers = r#"{"task":"mail.send","id":"late","retries":0,"expires":"2023-11-14T22:13:20+00:00"}"#;
    let expires = Some(Timestamp(1_700_000_000_000));
    let message = Message { expires, headers: headers.into(), ..message("late") };
    send(harness.broker().as_ref(), Publish { message: message.clone(), ..to_send("late") }).await;
    assert_eq!(take(join(&harness, "one").await.as_ref()).await.message, message);
}

pub async fn a_closed_store_says_so(harness: Arc<dyn Harness>) {
    let broker = harness.broker();
    let consumer = join(&harness, "one").await;
    send_all(broker.as_ref(), &["a"]).await;
    soon("close", broker.close(Duration::from_secs(5))).await.expect("it closes");
    let answers = soon("publish", broker.publish(vec![to_send("b"), to_send("c")])).await;
    let codes: Vec<_> = answers.into_iter().map(|answer| answer.map_err(|error| error.code())).collect();
    assert_eq!(codes, [Err(Code::StoreClosed), Err(Code::StoreClosed)]);
    let claimed = soon("claim", consumer.claim(1)).await.map_err(|error| error.code());
    assert_eq!(claimed, Err(Code::StoreClosed));
    let shown = broker.inspect().queues().await.map_err(|error| error.code());
    assert_eq!(shown, Err(Code::StoreClosed));
}
