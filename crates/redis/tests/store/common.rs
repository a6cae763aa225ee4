use std::borrow::Cow;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cardoon_broker::{Broker, ConsumeSpec, Consumer, Delivery, Publish, Settle, Settled};
use cardoon_core::lease::LeaseTerms;
use cardoon_core::settle::Verdict;
use cardoon_core::{Message, Priority, QueueName, ResultRecord, RunNumber, TaskId, TaskState, Timestamp};
use cardoon_redis::{RedisAddress, RedisOptions, RedisStore};
use cardoon_runtime::Clock;
use cardoon_testkit::RedisServer;

pub(crate) const LIMIT: Duration = Duration::from_secs(20);

pub(crate) async fn open(server: &RedisServer) -> Arc<RedisStore> {
    open_with(server, &RedisOptions::default()).await
}

pub(crate) async fn open_with(server: &RedisServer, options: &RedisOptions) -> Arc<RedisStore> {
    let address = RedisAddress::parse(&server.url()).unwrap();
    RedisStore::connect(&address, options, &Clock::real()).await.unwrap()
}

pub(crate) fn id(text: &str) -> TaskId {
    TaskId::new(text).unwrap()
}

pub(crate) fn queue(name: &str) -> QueueName {
    QueueName::new(name).unwrap()
}

pub(crate) fn message(name: &str) -> Message {
    Message {
        id: id(name),
        attempt: 0,
        task: "mail.send".into(),
        // The list of the most urgent has the queue's own name.
        priority: Priority::HIGHEST,
        expires: None,
        content_type: Cow::Borrowed("application/json"),
        content_encoding: Cow::Borrowed("utf-8"),
        headers: format!(r#"{{"task":"mail.send","id":"{name}","retries":0}}"#).into(),
        body: Bytes::from_static(b"[[1,2],{},{}]"),
    }
}

pub(crate) fn publish(name: &str) -> Publish {
    Publish { queue: queue("mail"), message: message(name), not_before: None, resent: false }
}

pub(crate) async fn send(store: &RedisStore, names: &[&str]) {
    for answer in store.publish(names.iter().map(|name| publish(name)).collect()).await {
        answer.unwrap();
    }
}

pub(crate) async fn join(store: &RedisStore, worker: &str) -> Arc<dyn Consumer> {
    join_queues(store, worker, &["mail"]).await
}

pub(crate) async fn join_queues(store: &RedisStore, worker: &str, queues: &[&str]) -> Arc<dyn Consumer> {
    soon(store.consume(spec(worker, queues))).await.unwrap()
}

pub(crate) fn spec(worker: &str, queues: &[&str]) -> ConsumeSpec {
    ConsumeSpec {
        worker: worker.into(),
        queues: queues.iter().map(|name| queue(name)).collect(),
        tasks: vec!["mail.send".into()],
        slots: 4,
        terms: LeaseTerms::default(),
    }
}

pub(crate) async fn take(consumer: &dyn Consumer) -> Delivery {
    soon(consumer.claim(1)).await.unwrap().pop().unwrap()
}

/// The id of the next delivery, however often the claim has to be repeated.
pub(crate) async fn take_at_last(consumer: &dyn Consumer) -> Delivery {
    soon(async {
        loop {
            match consumer.claim(1).await {
                Ok(mut taken) => return taken.pop().unwrap(),
                Err(_) => Clock::real().sleep(Duration::from_millis(20)).await,
            }
        }
    })
    .await
}

pub(crate) fn success(delivery: &Delivery, run: u64) -> Settle {
    let record = ResultRecord {
        id: delivery.message.id.clone(),
        task: delivery.message.task.clone(),
        queue: delivery.queue.clone(),
        state: TaskState::Success,
        run: RunNumber(run),
        attempt: delivery.message.attempt,
        value: Some(Bytes::from_static(b"3")),
        failure: None,
        worker: "w1".into(),
        started_at: Some(Timestamp(1)),
        finished_at: Clock::real().now(),
    };
    Settle { record: Some(record), ..Settle::bare(delivery.lease, Verdict::Ack) }
}

pub(crate) async fn settle(consumer: &dyn Consumer, settle: Settle) -> Settled {
    soon(consumer.settle(vec![settle])).await.pop().unwrap().unwrap()
}

/// The output of `future`, which must come before the deadline.
pub(crate) async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(LIMIT, future).await.expect("it takes too long")
}
