//! A mover that is dropped in the middle, as if its process were killed, and one with a planted bug.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use cardoon_broker::{
    Broker, Capabilities, ConsumeSpec, Consumer, Control, DeadLetters, EventStream, Handback, Inspect,
    Publish, Published, Revoked,
};
use cardoon_core::{Event, QueueName, Signature, SignatureOptions, TaskFilter, TaskId};
use cardoon_errors::Result;
use cardoon_runtime::{Clock, ids};
use cardoon_testkit::RedisServer;

use super::mover::Mover;
use crate::stores::Stores;

const TASKS: usize = 3000;

#[tokio::test(flavor = "multi_thread")]
async fn a_mover_that_is_killed_again_and_again_loses_nothing() {
    let drill = drill(|target| target).await;
    assert!(drill.kills > 2, "it was killed {} times", drill.kills);
    assert_eq!(drill.lost, 0);
}

/// The same drill with a target that answers before it has stored: messages are acknowledged before they are published.
#[tokio::test(flavor = "multi_thread")]
async fn the_drill_sees_what_is_acknowledged_before_it_is_published() {
    // A kill may come before the first acknowledgement, or after all is stored.
    let mut kills = 0;
    for _ in 0..10 {
        let drill = drill(|inner| Arc::new(Hasty { inner, pending: Mutex::default() })).await;
        kills += drill.kills;
        if drill.lost > 0 {
            return;
        }
    }
    panic!("nothing was lost in {kills} kills");
}

struct Drill {
    kills: usize,
    lost: usize,
}

/// Moves tasks from SQLite to Redis; each mover is given a little more time than the one before.
async fn drill(plant: impl Fn(Arc<dyn Broker>) -> Arc<dyn Broker>) -> Drill {
    let folder = cardoon_testkit::folder().unwrap();
    let server = RedisServer::start().await.unwrap();
    let from = format!("sqlite:{}", folder.path().join("tasks.db").display());
    let sent = fill(&from).await;
    let mut kills = 0;
    loop {
        let (source, target) = (broker(&from).await, stores(&server.url()).await);
        let target = cardoon_connect::Stores::from(target);
        let target = Stores::from(cardoon_connect::Stores { broker: plant(target.broker), ..target });
        let queues = vec![QueueName::default_queue()];
        let mut mover = Mover::join(&source, &target, queues, &Clock::real()).await.unwrap();
        let limit = Duration::from_millis(15 * kills as u64);
        let ended = tokio::time::timeout(limit, mover.run(|_| {})).await;
        drop(mover);
        if let Ok(ended) = ended {
            ended.unwrap();
            break;
        }
        kills += 1;
    }
    let target = broker(&server.url()).await;
    let found = target.inspect().waiting(&TaskFilter::default(), None, usize::MAX).await.unwrap().items;
    let found: HashSet<TaskId> = found.into_iter().map(|(waiting, _)| waiting.message.id).collect();
    Drill { kills, lost: sent.iter().filter(|id| !found.contains(*id)).count() }
}

async fn broker(url: &str) -> Arc<dyn Broker> {
    stores(url).await.broker.clone()
}

async fn stores(url: &str) -> Stores {
    cardoon_connect::connect(url, None, &Clock::real()).await.unwrap().into()
}

/// Sends tasks that nobody knows, every third one delayed.
async fn fill(url: &str) -> Vec<TaskId> {
    let due = Clock::real().now().plus(Duration::from_hours(1));
    let publish = |number: usize| {
        let eta = number.is_multiple_of(3).then_some(due);
        let options = SignatureOptions { eta, ..SignatureOptions::default() };
        let call = Signature { task: "nobodys".into(), args: "[1]".into(), kwargs: "{}".into(), options };
        let message = cardoon_protocol::encode(&call, ids::task_id(), "test").unwrap();
        Publish { queue: QueueName::default_queue(), message, not_before: eta, resent: false }
    };
    let batch: Vec<Publish> = (0..TASKS).map(publish).collect();
    let sent = batch.iter().map(|publish| publish.message.id.clone()).collect();
    for answer in broker(url).await.publish(batch).await {
        answer.unwrap();
    }
    sent
}

/// Stores a batch when the next one comes.
struct Hasty {
    inner: Arc<dyn Broker>,
    pending: Mutex<Vec<Publish>>,
}

#[async_trait]
impl Broker for Hasty {
    async fn publish(&self, batch: Vec<Publish>) -> Vec<Result<Published>> {
        let answers = batch.iter().map(|_| Ok(Published::Stored)).collect();
        let before = std::mem::replace(&mut *self.pending.lock().unwrap(), batch);
        self.inner.publish(before).await;
        answers
    }

    fn capabilities(&self) -> &Capabilities {
        self.inner.capabilities()
    }

    async fn consume(&self, spec: ConsumeSpec) -> Result<Arc<dyn Consumer>> {
        self.inner.consume(spec).await
    }

    async fn revoke(&self, ids: Vec<TaskId>) -> Vec<Result<Revoked>> {
        self.inner.revoke(ids).await
    }

    fn emit(&self, events: Vec<Event>) {
        self.inner.emit(events);
    }

    fn has_listeners(&self) -> bool {
        self.inner.has_listeners()
    }

    async fn listen(&self) -> Result<Box<dyn EventStream>> {
        self.inner.listen().await
    }

    fn inspect(&self) -> &dyn Inspect {
        self.inner.inspect()
    }

    fn dead_letters(&self) -> &dyn DeadLetters {
        self.inner.dead_letters()
    }

    fn control(&self) -> &dyn Control {
        self.inner.control()
    }

    fn handback(&self) -> Option<&dyn Handback> {
        self.inner.handback()
    }

    async fn close(&self, limit: Duration) -> Result<()> {
        self.inner.close(limit).await
    }
}
