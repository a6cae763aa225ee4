//! Leaving the queues to Celery.

use std::time::Duration;

use cardoon_broker::{Broker, HandbackReport, HandbackWish, HandedBack, Publish};
use cardoon_core::settle::Verdict;
use cardoon_core::{DeadReason, Message, TaskState};
use cardoon_redis::{RedisOptions, RedisStore};
use cardoon_results::ResultBackend;
use cardoon_runtime::Clock;
use cardoon_testkit::RedisServer;

use crate::common::{id, join, join_queues, message, open_with, publish, queue, send, soon, take};

const ENVELOPE: &str = r#"{"body": "W1tdLCB7fSwge31d", "content-encoding": "utf-8", "content-type": "application/json", "headers": {"task": "t", "id": "a", "x": 1.50}, "properties": {"correlation_id": "a", "priority": 0, "delivery_tag": "1", "body_encoding": "base64"}}"#;

/// A store that takes a worker for dead quickly.
async fn hasty(server: &RedisServer) -> std::sync::Arc<RedisStore> {
    let options = RedisOptions { grace: Duration::from_millis(300), ..RedisOptions::default() };
    open_with(server, &options).await
}

async fn hand_back(store: &RedisStore, wish: HandbackWish) -> HandbackReport {
    soon(store.handback().unwrap().hand_back(wish)).await.unwrap()
}

fn counts(delayed: u64, held: u64, dead: u64, ended: u64) -> Vec<HandedBack> {
    vec![HandedBack { queue: queue("mail"), delayed, held, dead, ended }]
}

fn later(name: &str, after: Duration) -> Publish {
    let headers =
        format!(r#"{{"task":"mail.send","id":"{name}","retries":0,"eta":"2100-01-01T00:00:00+00:00"}}"#);
    let message = Message { headers: headers.into(), ..message(name) };
    Publish { message, not_before: Some(Clock::real().now().plus(after)), ..publish(name) }
}

/// Puts tasks into the delayed store, for which a worker has to be alive.
async fn put_off(store: &RedisStore, names: &[&str]) {
    let consumer = join(store, "putter").await;
    let hours = |hours: usize| Duration::from_hours(1 + hours as u64);
    let batch = names.iter().enumerate().map(|(number, name)| later(name, hours(number))).collect();
    for answer in store.publish(batch).await {
        answer.unwrap();
    }
    soon(consumer.close()).await.unwrap();
}

async fn list(server: &RedisServer, key: &str) -> Vec<String> {
    let all = server.command(&["LRANGE", key, "0", "-1"]).await.unwrap();
    all.lines().rev().map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn delayed_tasks_go_to_their_lists_with_their_times() {
    let server = RedisServer::start().await.unwrap();
    let store = hasty(&server).await;
    put_off(&store, &["a", "b"]).await;
    let dry = HandbackWish { dry_run: true, ..HandbackWish::default() };
    assert_eq!(hand_back(&store, dry).await.queues, counts(2, 0, 0, 0));
    assert_eq!(server.command(&["LLEN", "mail"]).await.unwrap(), "0", "to count changes nothing");
    assert_eq!(hand_back(&store, HandbackWish::default()).await.queues, counts(2, 0, 0, 0));
    let returned = list(&server, "mail").await;
    assert!(returned.iter().all(|raw| raw.contains("2100-01-01")), "{returned:?}");
    assert!(returned[0].contains(r#""id":"a""#) && returned[1].contains(r#""id":"b""#), "{returned:?}");
    for key in ["cardoon:delayed", "cardoon:delayed:mail", "cardoon:delayed-messages"] {
        assert_eq!(server.command(&["EXISTS", key]).await.unwrap(), "0", "{key}");
    }
    assert_eq!(hand_back(&store, HandbackWish::default()).await, HandbackReport::default());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_dead_worker_held_goes_back_as_it_came() {
    let server = RedisServer::start().await.unwrap();
    let store = hasty(&server).await;
    server.command(&["LPUSH", "mail", ENVELOPE]).await.unwrap();
    let first = join(&store, "first").await;
    let delivery = take(first.as_ref()).await;
    first.mark_started(delivery.lease);
    soon(first.close()).await.unwrap();
    assert!(list(&server, "mail").await[0].starts_with(r#"{"cardoon":{"#), "now it has a mark of ours");
    let second = join(&store, "second").await;
    take(second.as_ref()).await;
    drop(second);
    assert_eq!(hand_back(&store, HandbackWish::default()).await.queues, counts(0, 1, 0, 0));
    assert_eq!(list(&server, "mail").await, [ENVELOPE]);
    for pattern in ["cardoon:session:*", "cardoon:held:*", "cardoon:workers:*"] {
        assert_eq!(server.command(&["KEYS", pattern]).await.unwrap(), "", "{pattern}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_handed_back_while_a_worker_is_alive() {
    let server = RedisServer::start().await.unwrap();
    let store = hasty(&server).await;
    put_off(&store, &["later"]).await;
    send(&store, &["a"]).await;
    let worker = join(&store, "alive").await;
    let delivery = take(worker.as_ref()).await;
    let report = hand_back(&store, HandbackWish::default()).await;
    let alive: Vec<_> = report.alive.iter().map(|member| (member.worker.as_str(), member.held)).collect();
    assert_eq!((alive, report.queues), (vec![("alive", 1)], vec![]));
    assert_eq!(server.command(&["ZCARD", "cardoon:delayed"]).await.unwrap(), "1");
    assert!(delivery.lease.session > 0);
    soon(worker.close()).await.unwrap();
    assert_eq!(hand_back(&store, HandbackWish::default()).await.queues, counts(1, 0, 0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_early_acknowledged_task_ends_instead_of_running_twice() {
    let server = RedisServer::start().await.unwrap();
    let store = hasty(&server).await;
    send(&store, &["a"]).await;
    let worker = join(&store, "one").await;
    let delivery = take(worker.as_ref()).await;
    let early = cardoon_broker::Settle::bare(delivery.lease, Verdict::AckEarly);
    crate::common::settle(worker.as_ref(), early).await;
    worker.mark_started(delivery.lease);
    drop(worker);
    assert_eq!(hand_back(&store, HandbackWish::default()).await.queues, counts(0, 0, 0, 1));
    let record = store.get(&[id("a")]).await.unwrap().pop().unwrap().unwrap();
    assert_eq!(record.state, TaskState::Failure);
    assert_eq!(server.command(&["LLEN", "mail"]).await.unwrap(), "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_stay_unless_they_are_asked_for() {
    let server = RedisServer::start().await.unwrap();
    let store = hasty(&server).await;
    server.command(&["LPUSH", "mail", ENVELOPE]).await.unwrap();
    let worker = join(&store, "one").await;
    let delivery = take(worker.as_ref()).await;
    let verdict = Verdict::Dead { reason: DeadReason::Failed, detail: "no".into() };
    crate::common::settle(worker.as_ref(), cardoon_broker::Settle::bare(delivery.lease, verdict)).await;
    soon(worker.close()).await.unwrap();
    assert_eq!(hand_back(&store, HandbackWish::default()).await.queues, []);
    let wish = HandbackWish { dead: true, dry_run: true };
    assert_eq!(hand_back(&store, wish).await.queues, counts(0, 0, 1, 0));
    let wish = HandbackWish { dead: true, dry_run: false };
    assert_eq!(hand_back(&store, wish).await.queues, counts(0, 0, 1, 0));
    assert_eq!(list(&server, "mail").await, [ENVELOPE]);
    assert_eq!(server.command(&["EXISTS", "cardoon:dead"]).await.unwrap(), "0");
}

/// The push fails, and what is removed after it must be there still.
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_returned_stays_and_holds_up_nothing_else() {
    let server = RedisServer::start().await.unwrap();
    let store = hasty(&server).await;
    put_off(&store, &["a", "b"]).await;
    let other = join_queues(&store, "other", &["post"]).await;
    let post = Publish { queue: queue("post"), ..later("c", Duration::from_hours(9)) };
    store.publish(vec![post]).await.pop().unwrap().unwrap();
    soon(other.close()).await.unwrap();
    server.command(&["SET", "mail", "no list"]).await.unwrap();
    let error = soon(store.handback().unwrap().hand_back(HandbackWish::default())).await.unwrap_err();
    assert_eq!(error.code().to_string(), "CD1203");
    assert_eq!(list(&server, "post").await.len(), 1);
    assert_eq!(server.command(&["ZCARD", "cardoon:delayed"]).await.unwrap(), "2");
    server.command(&["DEL", "mail"]).await.unwrap();
    assert_eq!(hand_back(&store, HandbackWish::default()).await.queues, counts(2, 0, 0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_off_anywhere_it_is_finished_by_the_next_one() {
    let server = RedisServer::start().await.unwrap();
    let store = hasty(&server).await;
    let names: Vec<String> = (0..3000).map(|number| format!("task-{number}")).collect();
    let (delayed, held) = names.split_at(2500);
    put_off(&store, &delayed.iter().map(String::as_str).collect::<Vec<_>>()).await;
    send(&store, &held.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let victim = join(&store, "victim").await;
    let mut taken = 0;
    while taken < held.len() {
        taken += soon(victim.claim(held.len())).await.unwrap().len();
    }
    drop(victim);
    let mut breaks = 0;
    let options = RedisOptions { grace: Duration::from_millis(20), ..RedisOptions::default() };
    loop {
        let again = open_with(&server, &options).await;
        let once = again.handback().unwrap().hand_back(HandbackWish::default());
        if tokio::time::timeout(Duration::from_millis(2 * breaks), once).await.is_ok() {
            break;
        }
        breaks += 1;
    }
    assert!(breaks > 0, "it was broken off");
    let returned = list(&server, "mail").await;
    let missing: Vec<_> = names
        .iter()
        .filter(|name| !returned.iter().any(|raw| raw.contains(&format!("\"{name}\""))))
        .collect();
    assert_eq!((missing.len(), returned.len()), (0, names.len()));
}
