//! Dead letters: kept as they were, and sent again.

use std::sync::Arc;

use cardoon_core::settle::Verdict;
use cardoon_core::{DeadReason, Message, Priority, TaskState, Timestamp};

use super::Harness;
use super::steps::{
    assert_nothing_ready, attempt, give, id, join, message, queue, record, send, settle, start, take, to_send,
};
use crate::{DeadFilter, DeadLetter, Publish, Settle, Settled};

pub async fn a_dead_letter_keeps_its_bytes_and_its_reason(harness: Arc<dyn Harness>) {
    let original = Message { priority: Priority::new(7), ..attempt("a", 2) };
    bury(&harness, original.clone(), DeadReason::BadArguments).await;
    let broker = harness.broker();
    let letters = broker.dead_letters();
    let shown = letters.show(&id("a")).await.expect("dead letters are shown").expect("it is there");
    assert_eq!((shown.reason, shown.detail.as_str()), (DeadReason::BadArguments, "why it died"));
    assert_eq!(shown.message, original);
    assert_eq!(shown.queue.as_str(), "mail");
    assert_eq!(letters.show(&id("b")).await.expect("dead letters are shown"), None);
}

pub async fn filters_choose_dead_letters(harness: Arc<dyn Harness>) {
    bury(&harness, message("a"), DeadReason::Malformed).await;
    bury(&harness, message("b"), DeadReason::UnknownTask).await;
    bury(&harness, message("c"), DeadReason::Malformed).await;
    let malformed = DeadFilter { reason: Some(DeadReason::Malformed), ..DeadFilter::default() };
    assert_eq!(listed(&harness, &DeadFilter::default(), 10).await, ["c", "b", "a"], "newest first");
    assert_eq!(listed(&harness, &malformed, 10).await, ["c", "a"]);
    assert_eq!(listed(&harness, &malformed, 1).await, ["c"]);
    assert_eq!(listed(&harness, &only("b"), 10).await, ["b"]);
    let broker = harness.broker();
    let counted = broker.dead_letters().count(&DeadFilter::default()).await.expect("they are counted");
    assert_eq!(counted, [(DeadReason::Malformed, 2), (DeadReason::UnknownTask, 1)]);
    let counted = broker.dead_letters().count(&only("b")).await.expect("they are counted");
    assert_eq!(counted, [(DeadReason::UnknownTask, 1)]);
}

pub async fn a_redriven_task_runs_again_and_registers(harness: Arc<dyn Harness>) {
    let original = attempt("a", 3);
    bury(&harness, original.clone(), DeadReason::RetriesExhausted).await;
    let broker = harness.broker();
    let letters = broker.dead_letters();
    assert_eq!(letters.redrive(&only("a")).await.expect("it is sent again"), 1);
    assert_eq!(listed(&harness, &DeadFilter::default(), 10).await, Vec::<String>::new());
    let again = take(join(&harness, "two").await.as_ref()).await;
    assert_eq!(again.message, Message { attempt: 0, ..original });
    assert_eq!(again.deaths, 0);
    assert!(again.must_register(), "run 1 was long ago");
}

pub async fn a_redriven_task_gets_a_larger_run_number(harness: Arc<dyn Harness>) {
    let Some(results) = harness.joined() else { return };
    let consumer = join(&harness, "one").await;
    send(harness.broker().as_ref(), to_send("a")).await;
    let delivery = start(consumer.as_ref()).await;
    let failed = Settle {
        record: Some(record(&harness, &delivery, 1, TaskState::Failure)),
        ..Settle::bare(delivery.lease, dead(DeadReason::RetriesExhausted))
    };
    assert_eq!(settle(consumer.as_ref(), failed).await, Settled::Done);
    assert_eq!(results.begin(&id("a"), 0).await, None, "it has ended");
    harness.broker().dead_letters().redrive(&only("a")).await.expect("it is sent again");
    let again = take(consumer.as_ref()).await;
    let run = results.begin(&id("a"), 0).await.expect("it may run again");
    assert!(run.0 > 1, "run {run} is not larger");
    let success = Settle {
        record: Some(record(&harness, &again, run.0, TaskState::Success)),
        ..Settle::bare(again.lease, Verdict::Ack)
    };
    assert_eq!(settle(consumer.as_ref(), success).await, Settled::Done);
    let stored = results.record(&id("a")).await.expect("its result is stored");
    assert_eq!((stored.state, stored.run), (TaskState::Success, run));
}

pub async fn purged_dead_letters_are_gone(harness: Arc<dyn Harness>) {
    bury(&harness, message("a"), DeadReason::Malformed).await;
    bury(&harness, message("b"), DeadReason::Malformed).await;
    let broker = harness.broker();
    let letters = broker.dead_letters();
    assert_eq!(letters.purge(&only("a")).await.expect("it is deleted"), 1);
    assert_eq!(listed(&harness, &DeadFilter::default(), 10).await, ["b"]);
    assert_nothing_ready(&harness, join(&harness, "two").await.as_ref()).await;
}

pub async fn letters_of_another_store_are_buried_once(harness: Arc<dyn Harness>) {
    let letter = DeadLetter {
        message: attempt("moved", 2),
        queue: queue("mail"),
        reason: DeadReason::RetriesExhausted,
        detail: "why it died".into(),
        deaths: 1,
        died_at: Timestamp(harness.clock().now().0 - 1000),
    };
    let broker = harness.broker();
    let letters = broker.dead_letters();
    assert_eq!(letters.bury(vec![letter.clone()]).await.expect("it is buried"), 1);
    assert_eq!(letters.bury(vec![letter.clone()]).await.expect("it is there"), 0);
    assert_eq!(letters.show(&id("moved")).await.expect("dead letters are shown"), Some(letter));
    assert_eq!(letters.redrive(&only("moved")).await.expect("it is sent again"), 1);
    let again = take(join(&harness, "one").await.as_ref()).await;
    assert_eq!(again.message, Message { attempt: 0, ..attempt("moved", 2) });
}

async fn bury(harness: &Arc<dyn Harness>, message: Message, reason: DeadReason) {
    let consumer = join(harness, "gravedigger").await;
    send(harness.broker().as_ref(), Publish { message, ..to_send("any") }).await;
    let lease = take(consumer.as_ref()).await.lease;
    assert_eq!(give(consumer.as_ref(), lease, dead(reason)).await, Settled::Done);
    consumer.close().await.expect("the consumer leaves");
}

fn dead(reason: DeadReason) -> Verdict {
    Verdict::Dead { reason, detail: "why it died".into() }
}

fn only(name: &str) -> DeadFilter {
    DeadFilter { ids: vec![id(name)], ..DeadFilter::default() }
}

async fn listed(harness: &Arc<dyn Harness>, filter: &DeadFilter, limit: usize) -> Vec<String> {
    let broker = harness.broker();
    let letters = broker.dead_letters().list(filter, limit).await.expect("dead letters are listed");
    letters.iter().map(|letter| letter.message.id.as_str().to_owned()).collect()
}
