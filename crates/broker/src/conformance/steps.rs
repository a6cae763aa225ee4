//! The steps that cases are made of.

use std::borrow::Cow;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cardoon_core::settle::Verdict;
use cardoon_core::{Lease, Message, Priority, QueueName, ResultRecord, RunNumber, TaskId, TaskState};

use super::Harness;
use crate::{Broker, ConsumeSpec, Consumer, Delivery, Publish, Published, Settle, Settled, SweepReport};

/// No wait of a case is longer.
const DEADLINE: Duration = Duration::from_secs(20);

/// What `future` answers, if it does in time.
pub(super) async fn soon<F: Future>(what: &str, future: F) -> F::Output {
    let output = tokio::time::timeout(DEADLINE, future).await;
    output.unwrap_or_else(|_| panic!("{what}: not within {DEADLINE:?}"))
}

pub(super) fn id(text: &str) -> TaskId {
    TaskId::new(text).expect("the cases' ids are good")
}

pub(super) fn queue(name: &str) -> QueueName {
    QueueName::new(name).expect("the cases' names are good")
}

pub(super) fn message(text: &str) -> Message {
    attempt(text, 0)
}

/// The message of an attempt. Its headers say what its fields do, as in every message that a broker meets.
pub(super) fn attempt(text: &str, attempt: u32) -> Message {
    Message {
        id: id(text),
        attempt,
        task: "mail.send".into(),
        priority: Priority::default(),
        expires: None,
        content_type: Cow::Borrowed("application/json"),
        content_encoding: Cow::Borrowed("utf-8"),
        headers: format!(r#"{{"lang":"rs","task":"mail.send","id":"{text}","retries":{attempt}}}"#).into(),
        body: Bytes::from(format!("[[\"{text}\"],{{}},{{}}]")),
    }
}

/// A message for the queue `mail`.
pub(super) fn to_send(text: &str) -> Publish {
    Publish { queue: queue("mail"), message: message(text), not_before: None, resent: false }
}

pub(super) async fn send(broker: &dyn Broker, publish: Publish) -> Published {
    let answers = soon("publish", broker.publish(vec![publish])).await;
    let answer = answers.into_iter().next().expect("one answer for one item");
    answer.expect("the publish is accepted")
}

pub(super) async fn send_all(broker: &dyn Broker, names: &[&str]) {
    for name in names {
        assert_eq!(send(broker, to_send(name)).await, Published::Stored);
    }
}

pub(super) async fn join(harness: &Arc<dyn Harness>, worker: &str) -> Arc<dyn Consumer> {
    join_queues(harness, harness.broker().as_ref(), worker, &["mail"]).await
}

pub(super) async fn join_queues(
    harness: &Arc<dyn Harness>,
    broker: &dyn Broker,
    worker: &str,
    queues: &[&str],
) -> Arc<dyn Consumer> {
    let spec = ConsumeSpec {
        worker: worker.into(),
        queues: queues.iter().map(|name| queue(name)).collect(),
        tasks: vec!["mail.send".into()],
        slots: 4,
        terms: harness.terms(),
    };
    soon("consume", broker.consume(spec)).await.expect("a consumer joins")
}

/// One delivery.
pub(super) async fn take(consumer: &dyn Consumer) -> Delivery {
    let taken = soon("claim", consumer.claim(1)).await.expect("the claim is answered");
    assert_eq!(taken.len(), 1, "a claim of one takes one");
    taken.into_iter().next().expect("there is one")
}

/// Exactly `count` deliveries, in as many claims as it takes.
pub(super) async fn take_many(consumer: &dyn Consumer, count: usize) -> Vec<Delivery> {
    let mut taken = Vec::new();
    while taken.len() < count {
        let more = soon("claim", consumer.claim(count - taken.len())).await.expect("the claim is answered");
        taken.extend(more);
    }
    taken
}

/// Takes one delivery and asserts that its user code begins.
pub(super) async fn start(consumer: &dyn Consumer) -> Delivery {
    let delivery = take(consumer).await;
    consumer.mark_started(delivery.lease);
    delivery
}

pub(super) fn names(deliveries: &[Delivery]) -> Vec<&str> {
    deliveries.iter().map(|delivery| delivery.message.id.as_str()).collect()
}

/// Asserts that nothing is ready for `consumer`: it is asked for more than there is, behind a message that is sent
/// to be found.
pub(super) async fn assert_nothing_ready(harness: &Arc<dyn Harness>, consumer: &dyn Consumer) {
    let sentinel = Publish {
        message: Message { priority: Priority::LOWEST, ..message("sentinel") },
        ..to_send("sentinel")
    };
    send(harness.broker().as_ref(), sentinel).await;
    let found = soon("claim", consumer.claim(100)).await.expect("the claim is answered");
    assert_eq!(names(&found), ["sentinel"], "nothing else was ready");
    acknowledge(consumer, found[0].lease).await;
}

pub(super) async fn settle(consumer: &dyn Consumer, settle: Settle) -> Settled {
    let answers = soon("settle", consumer.settle(vec![settle])).await;
    answers.into_iter().next().expect("one answer for one item").expect("the settle is answered")
}

pub(super) async fn give(consumer: &dyn Consumer, lease: Lease, verdict: Verdict) -> Settled {
    settle(consumer, Settle::bare(lease, verdict)).await
}

pub(super) async fn acknowledge(consumer: &dyn Consumer, lease: Lease) {
    assert_eq!(give(consumer, lease, Verdict::Ack).await, Settled::Done);
}

pub(super) fn record(
    harness: &Arc<dyn Harness>,
    delivery: &Delivery,
    run: u64,
    state: TaskState,
) -> ResultRecord {
    ResultRecord {
        id: delivery.message.id.clone(),
        task: delivery.message.task.clone(),
        queue: delivery.queue.clone(),
        state,
        run: RunNumber(run),
        attempt: delivery.message.attempt,
        value: Some(Bytes::from_static(b"1")),
        failure: None,
        worker: "one".into(),
        started_at: None,
        finished_at: harness.clock().now(),
    }
}

/// Sweeps until something comes of it; deaths are found at once or after a while, as the store can.
pub(super) async fn sweep_until_found(harness: &Arc<dyn Harness>, rescuer: &dyn Consumer) -> SweepReport {
    soon("the sweep that finds the loss", async {
        loop {
            rescuer.heartbeat().expect("the rescuer's heartbeat is answered");
            let report = rescuer.sweep().await.expect("the sweep is answered");
            if !report.lost_workers.is_empty() {
                return report;
            }
            harness.pass(harness.terms().heartbeat / 6).await;
        }
    })
    .await
}

/// Lets `time` pass while `rescuer` sweeps and the `living` beat as they should. Returns all that was found.
pub(super) async fn live(
    harness: &Arc<dyn Harness>,
    rescuer: &dyn Consumer,
    living: &[&dyn Consumer],
    time: Duration,
) -> Vec<SweepReport> {
    let step = harness.terms().heartbeat / 6;
    let mut found = Vec::new();
    let mut passed = Duration::ZERO;
    while passed < time {
        harness.pass(step).await;
        passed += step;
        for consumer in living.iter().chain([&rescuer]) {
            consumer.heartbeat().expect("the heartbeat is answered");
        }
        found.push(soon("sweep", rescuer.sweep()).await.expect("the sweep is answered"));
    }
    found.retain(|report| *report != SweepReport::default());
    found
}
