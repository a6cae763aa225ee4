//! Looking: numbers, places, members and events.

use std::sync::Arc;
use std::time::Duration;

use cardoon_core::{Event, EventKind, TaskFilter, TaskState, Timestamp, VERSION};

use super::Harness;
use super::steps::{
    acknowledge, id, join, join_queues, names, queue, send, send_all, soon, start, sweep_until_found, take,
    take_many, to_send,
};
use crate::{Place, Publish, QueueStats};

pub async fn queues_are_shown_in_numbers(harness: Arc<dyn Harness>) {
    let consumer = join(&harness, "one").await;
    send_all(harness.broker().as_ref(), &["a", "b", "c"]).await;
    let due = Some(harness.clock().now().plus(harness.terms().lease * 100));
    send(harness.broker().as_ref(), Publish { not_before: due, ..to_send("later") }).await;
    take(consumer.as_ref()).await;
    let mail = stats(&harness, "mail").await;
    assert_eq!((mail.ready, mail.delayed, mail.held, mail.dead, mail.workers), (2, 1, 1, 0, 1));
    assert!(mail.oldest.is_some());
}

pub async fn a_message_is_located_in_each_place(harness: Arc<dyn Harness>) {
    let consumer = join(&harness, "one").await;
    let due = harness.clock().now().plus(harness.terms().lease * 100);
    send(harness.broker().as_ref(), Publish { not_before: Some(due), ..to_send("later") }).await;
    send_all(harness.broker().as_ref(), &["a"]).await;
    assert_eq!(place(&harness, "later").await, Some(Place::Delayed { until: due }));
    assert_eq!(place(&harness, "a").await, Some(Place::Ready));
    let lease = take(consumer.as_ref()).await.lease;
    assert_eq!(place(&harness, "a").await, Some(Place::Held { worker: "one".into(), started: false }));
    consumer.mark_started(lease);
    assert_eq!(place(&harness, "a").await, Some(Place::Held { worker: "one".into(), started: true }));
    acknowledge(consumer.as_ref(), lease).await;
    assert_eq!(place(&harness, "a").await, None);
}

pub async fn peeking_takes_nothing(harness: Arc<dyn Harness>) {
    let due = Some(harness.clock().now().plus(harness.terms().lease * 100));
    send(harness.broker().as_ref(), Publish { not_before: due, ..to_send("later") }).await;
    send_all(harness.broker().as_ref(), &["a", "b"]).await;
    let broker = harness.broker();
    let seen = broker.inspect().peek(&queue("mail"), 10).await.expect("the queue is peeked at");
    let seen: Vec<_> = seen.iter().map(|waiting| waiting.message.id.as_str()).collect();
    assert_eq!(seen, ["a", "b", "later"]);
    let all = broker.inspect().peek(&queue("mail"), usize::MAX).await.expect("the queue is peeked at");
    assert_eq!(all.len(), 3, "all of them");
    assert_eq!(names(&take_many(join(&harness, "one").await.as_ref(), 2).await), ["a", "b"]);
}

pub async fn what_waits_is_listed_in_pages_and_filtered(harness: Arc<dyn Harness>) {
    let consumer = join(&harness, "one").await;
    let due = Some(harness.clock().now().plus(harness.terms().lease * 100));
    send_all(harness.broker().as_ref(), &["held", "a", "b"]).await;
    send(harness.broker().as_ref(), Publish { not_before: due, ..to_send("later") }).await;
    send(harness.broker().as_ref(), Publish { queue: queue("report"), ..to_send("other") }).await;
    start(consumer.as_ref()).await;
    let all = TaskFilter::default();
    for limit in [1, 2, 100, usize::MAX] {
        assert_eq!(listed(&harness, &all, limit).await, ["a", "b", "held", "later", "other"], "by {limit}");
    }
    let mail = TaskFilter { queue: Some(queue("mail")), ..all.clone() };
    assert_eq!(listed(&harness, &mail, 3).await, ["a", "b", "held", "later"]);
    let started = TaskFilter { state: Some(TaskState::Started), ..all.clone() };
    assert_eq!(listed(&harness, &started, 3).await, ["held"]);
    let named = TaskFilter { text: Some("LATE".into()), ..all.clone() };
    assert_eq!(listed(&harness, &named, 3).await, ["later"]);
    let unknown = TaskFilter { task: Some("unknown".into()), ..all };
    assert_eq!(listed(&harness, &unknown, 3).await, [""; 0]);
}

/// All pages of a list, each of at most `limit`; sorted, since messages of one moment have no order on every store.
async fn listed(harness: &Arc<dyn Harness>, filter: &TaskFilter, limit: usize) -> Vec<String> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let broker = harness.broker();
        let page =
            broker.inspect().waiting(filter, after.as_ref(), limit).await.expect("what waits is shown");
        assert!(page.items.len() <= limit, "no more than asked for");
        found.extend(page.items.iter().map(|(waiting, _)| waiting.message.id.to_string()));
        after = page.next;
        if after.is_none() {
            found.sort_unstable();
            return found;
        }
    }
}

pub async fn purging_leaves_what_is_held(harness: Arc<dyn Harness>) {
    let consumer = join(&harness, "one").await;
    send_all(harness.broker().as_ref(), &["held", "a"]).await;
    let due = Some(harness.clock().now().plus(harness.terms().lease * 100));
    send(harness.broker().as_ref(), Publish { not_before: due, ..to_send("later") }).await;
    send(harness.broker().as_ref(), Publish { queue: queue("report"), ..to_send("other") }).await;
    let held = take(consumer.as_ref()).await;
    let purged = harness.broker().inspect().purge(&queue("mail")).await.expect("the queue is purged");
    assert_eq!(purged, 2);
    assert_eq!((place(&harness, "a").await, place(&harness, "later").await), (None, None));
    assert_eq!(place(&harness, "other").await, Some(Place::Ready), "other queues are untouched");
    acknowledge(consumer.as_ref(), held.lease).await;
}

pub async fn consumers_are_members_while_they_live(harness: Arc<dyn Harness>) {
    let one = join(&harness, "one").await;
    let second = harness.second().await;
    let two = join_queues(&harness, second.as_ref(), "two", &["mail", "report"]).await;
    send_all(harness.broker().as_ref(), &["a"]).await;
    start(two.as_ref()).await;
    let members = harness.broker().inspect().members().await.expect("the members are shown");
    let mut seen: Vec<_> =
        members.iter().map(|member| (member.worker.as_str(), member.session, member.held)).collect();
    seen.sort_unstable();
    assert_eq!(seen, [("one", one.session(), 0), ("two", two.session(), 1)]);
    assert!(members.iter().all(|member| member.tasks == ["mail.send"] && member.slots == 4));
    assert!(
        members
            .iter()
            .all(|member| member.heartbeat_age < harness.terms().lease && member.version == VERSION)
    );
    harness.kill(two).await;
    sweep_until_found(&harness, one.as_ref()).await;
    let members = harness.broker().inspect().members().await.expect("the members are shown");
    assert_eq!(members.iter().map(|member| member.worker.as_str()).collect::<Vec<_>>(), ["one"]);
    one.close().await.expect("the consumer leaves");
    let members = harness.broker().inspect().members().await.expect("the members are shown");
    assert_eq!(members, []);
}

pub async fn listeners_get_events_in_order(harness: Arc<dyn Harness>) {
    let broker = harness.broker();
    let mut stream = broker.listen().await.expect("events are listened to");
    assert!(broker.has_listeners());
    let sent: Vec<Event> = (0..100).map(|n| event(&format!("worker-{n}"))).collect();
    for pair in sent.chunks(10) {
        broker.emit(pair.to_vec());
    }
    let mut received = Vec::new();
    while received.len() < sent.len() {
        received.extend(soon("events", stream.next()).await.expect("the stream goes on"));
    }
    assert_eq!(received, sent);
}

pub async fn a_stream_of_events_ends_with_its_broker(harness: Arc<dyn Harness>) {
    let broker = harness.broker();
    let mut stream = broker.listen().await.expect("events are listened to");
    let (end, closed) = tokio::join!(
        soon("the end of the stream", stream.next()),
        soon("close", broker.close(Duration::from_secs(5)))
    );
    closed.expect("it closes");
    assert_eq!(end.expect("the stream ends well"), []);
}

fn event(worker: &str) -> Event {
    Event::of_worker(EventKind::WorkerHeartbeat, worker.into(), Timestamp(1))
}

async fn place(harness: &Arc<dyn Harness>, name: &str) -> Option<Place> {
    let found = harness.broker().inspect().locate(&id(name)).await.expect("the store is inspected");
    found.map(|(_, place)| place)
}

async fn stats(harness: &Arc<dyn Harness>, name: &str) -> QueueStats {
    let all = harness.broker().inspect().queues().await.expect("queues are shown");
    all.into_iter().find(|stats| stats.queue.as_str() == name).expect("the queue is shown")
}
