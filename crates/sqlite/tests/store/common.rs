use std::borrow::Cow;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cardoon_broker::{Broker, ConsumeSpec, Consumer, Delivery, Publish, Settle};
use cardoon_core::lease::LeaseTerms;
use cardoon_core::settle::Verdict;
use cardoon_core::{Message, Priority, QueueName, ResultRecord, RunNumber, TaskId, TaskState, Timestamp};
use cardoon_runtime::{Clock, ManualClock};
use cardoon_sqlite::{SqliteOptions, SqliteStore};
use tempfile::TempDir;

pub(crate) const LIMIT: Duration = Duration::from_secs(20);

/// A store in a folder of its own.
pub(crate) fn store() -> (TempDir, Arc<SqliteStore>) {
    store_with(&SqliteOptions::default())
}

pub(crate) fn store_with(options: &SqliteOptions) -> (TempDir, Arc<SqliteStore>) {
    store_on(&Clock::real(), options)
}

/// A store whose time passes when the test says so.
pub(crate) fn store_on_manual_clock() -> (Arc<ManualClock>, TempDir, Arc<SqliteStore>) {
    let manual = ManualClock::new(Timestamp(1_800_000_000_000));
    let (folder, store) = store_on(&Clock::manual(&manual), &SqliteOptions::default());
    (manual, folder, store)
}

fn store_on(clock: &Clock, options: &SqliteOptions) -> (TempDir, Arc<SqliteStore>) {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path().join("tasks.db"), options, clock).unwrap();
    (folder, store)
}

pub(crate) fn id(text: &str) -> TaskId {
    TaskId::new(text).unwrap()
}

pub(crate) fn queue() -> QueueName {
    QueueName::default_queue()
}

pub(crate) fn message(name: &str) -> Message {
    Message {
        id: id(name),
        attempt: 0,
        task: "mail.send".into(),
        priority: Priority::default(),
        expires: None,
        content_type: Cow::Borrowed("application/json"),
        content_encoding: Cow::Borrowed("utf-8"),
        headers: Bytes::from_static(b"{\"lang\":\"rs\"}"),
        body: Bytes::from_static(b"[[1,2],{},{}]"),
    }
}

pub(crate) fn publish(name: &str) -> Publish {
    Publish { queue: queue(), message: message(name), not_before: None, resent: false }
}

pub(crate) async fn send(store: &SqliteStore, names: &[&str]) {
    for answer in store.publish(names.iter().map(|name| publish(name)).collect()).await {
        answer.unwrap();
    }
}

pub(crate) fn spec() -> ConsumeSpec {
    ConsumeSpec {
        worker: "w1".into(),
        queues: vec![queue()],
        tasks: vec!["mail.send".into()],
        slots: 4,
        terms: LeaseTerms::default(),
    }
}

pub(crate) fn success(delivery: &Delivery) -> ResultRecord {
    ResultRecord {
        id: delivery.message.id.clone(),
        task: delivery.message.task.clone(),
        queue: delivery.queue.clone(),
        state: TaskState::Success,
        run: RunNumber::FIRST,
        attempt: delivery.message.attempt,
        value: Some(Bytes::from_static(b"3")),
        failure: None,
        worker: "w1".into(),
        started_at: Some(Timestamp(1)),
        finished_at: Clock::real().now(),
    }
}

pub(crate) fn done(delivery: &Delivery) -> Settle {
    Settle { record: Some(success(delivery)), ..Settle::bare(delivery.lease, Verdict::Ack) }
}

/// Claims until `count` deliveries are there.
pub(crate) async fn claim(consumer: &Arc<dyn Consumer>, count: usize) -> Vec<Delivery> {
    let mut taken = Vec::new();
    while taken.len() < count {
        taken.extend(soon(consumer.claim(count - taken.len())).await.unwrap());
    }
    taken
}

/// The output of `future`, which must come before the deadline.
pub(crate) async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(LIMIT, future).await.expect("it takes too long")
}
