//! Beside Celery: what its programs find, and what we make of what they leave.

use std::time::Duration;

use cardoon_broker::{Broker, Place, Publish};
use cardoon_core::{Message, TaskState};
use cardoon_results::{BeginRun, Begun, ResultBackend};
use cardoon_runtime::Clock;
use cardoon_testkit::{RedisServer, eventually};

use crate::common::{LIMIT, id, join, message, open, publish, queue, send, settle, soon, success, take};

#[tokio::test(flavor = "multi_thread")]
async fn a_delayed_task_of_a_queue_without_our_workers_goes_to_its_list() {
    let server = RedisServer::start().await.unwrap();
    let store = open(&server).await;
    let headers = r#"{"task":"mail.send","id":"a","retries":0,"eta":"2100-01-01T00:00:00+00:00"}"#;
    let later = || {
        let message = Message { headers: headers.into(), ..message("a") };
        let due = Clock::real().now().plus(Duration::from_hours(1));
        Publish { message, not_before: Some(due), ..publish("a") }
    };
    store.publish(vec![later()]).await.pop().unwrap().unwrap();
    assert_eq!(server.command(&["LLEN", "mail"]).await.unwrap(), "1", "a Celery worker waits by itself");
    let consumer = join(&store, "one").await;
    take(consumer.as_ref()).await;
    store.publish(vec![later()]).await.pop().unwrap().unwrap();
    assert_eq!(server.command(&["LLEN", "mail"]).await.unwrap(), "0");
    assert_eq!(
        server.command(&["ZCARD", "cardoon:delayed"]).await.unwrap(),
        "1",
        "now one of ours promotes it"
    );
}

/// Nobody sweeps when all of our workers are dead, so their entries stay.
#[tokio::test(flavor = "multi_thread")]
async fn a_dead_worker_does_not_count_as_one_who_waits_for_delayed_tasks() {
    let server = RedisServer::start().await.unwrap();
    let store = open(&server).await;
    let later = |name: &str| {
        let headers = r#"{"task":"mail.send","retries":0,"eta":"2100-01-01T00:00:00+00:00"}"#;
        let message = Message { headers: headers.into(), ..message(name) };
        let due = Clock::real().now().plus(Duration::from_hours(1));
        Publish { message, not_before: Some(due), ..publish(name) }
    };
    let consumer = join(&store, "one").await;
    store.publish(vec![later("a")]).await.pop().unwrap().unwrap();
    assert_eq!(server.command(&["ZCARD", "cardoon:delayed"]).await.unwrap(), "1");
    drop(consumer);
    eventually("the server sees that it is gone", LIMIT, async || {
        let other = open(&server).await;
        other.publish(vec![later("b")]).await.pop().unwrap().unwrap();
        server.command(&["LLEN", "mail"]).await.unwrap() == "1"
    })
    .await;
    assert_eq!(server.command(&["SCARD", "cardoon:workers:mail"]).await.unwrap(), "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_others_know_stays_in_its_list_in_its_order() {
    let server = RedisServer::start().await.unwrap();
    let store = open(&server).await;
    let consumer = join(&store, "one").await;
    let envelope = |name: &str, task: &str, space: &str| {
        format!(
            r#"{{"body": "W10=", "headers": {{"task":{space}"{task}", "id": "{name}", "argsrepr": "('\"task\": \"theirs\"',)"}}}}"#
        )
    };
    let sent = [("a", "theirs", " "), ("b", "ours", " "), ("c", "theirs", ""), ("d", "ours", "")];
    consumer.leave_to_others(&queue("mail"), "theirs");
    for (name, task, space) in sent {
        server.command(&["LPUSH", "mail", &envelope(name, task, space)]).await.unwrap();
    }
    for name in ["b", "d"] {
        assert_eq!(take(consumer.as_ref()).await.message.id, id(name));
    }
    let left = server.command(&["LRANGE", "mail", "0", "-1"]).await.unwrap();
    assert_eq!(left, [envelope("c", "theirs", ""), envelope("a", "theirs", " ")].join("\n"));
    let (woken, ()) = soon(async { tokio::join!(take(consumer.as_ref()), send(&store, &["e"])) }).await;
    assert_eq!(woken.message.id, id("e"), "it waits, and wakes for others");
}

/// A task that only Celery's workers know would come back to ours each time else.
#[tokio::test(flavor = "multi_thread")]
async fn what_becomes_due_is_offered_to_those_who_wait_in_the_list_first() {
    let server = RedisServer::start().await.unwrap();
    let store = open(&server).await;
    let consumer = join(&store, "one").await;
    let celery = server.command(&["BRPOP", "mail", "15"]);
    let ours = async {
        eventually("Celery waits in the list", LIMIT, async || {
            server.command(&["CLIENT", "LIST"]).await.unwrap().contains(" cmd=brpop ")
        })
        .await;
        let due = Clock::real().now().plus(Duration::from_millis(300));
        let soon_due = Publish { not_before: Some(due), ..publish("a") };
        store.publish(vec![soon_due]).await.pop().unwrap().unwrap();
        tokio::time::timeout(Duration::from_secs(5), consumer.claim(1)).await
    };
    let (popped, claimed) = soon(async { tokio::join!(celery, ours) }).await;
    assert!(popped.unwrap().contains("mail.send"), "who waits in the list gets it");
    assert!(claimed.is_err(), "ours does not");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_of_a_celery_worker_ends_a_wait_and_fences_the_task() {
    let server = RedisServer::start().await.unwrap();
    let store = open(&server).await;
    let task = id("a");
    let started = r#"{"status": "STARTED", "result": {"pid": 1}, "traceback": null, "children": [], "date_done": null, "task_id": "a"}"#;
    let done = r#"{"status": "SUCCESS", "result": 5, "traceback": null, "children": [], "date_done": "2026-01-01T00:00:00", "task_id": "a"}"#;
    let celery = async {
        for document in [started, done] {
            server.command(&["SET", "celery-task-meta-a", document]).await.unwrap();
            server.command(&["PUBLISH", "celery-task-meta-a", document]).await.unwrap();
        }
    };
    let (record, ()) = soon(async { tokio::join!(store.wait(&task, None), celery) }).await;
    let record = record.unwrap().unwrap();
    assert_eq!((record.state, record.value.as_deref()), (TaskState::Success, Some(&b"5"[..])));
    let begun = store.begin(vec![BeginRun { id: id("a"), attempt: 0 }]).await.pop().unwrap().unwrap();
    assert_eq!(begun, Begun::Ended);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_back_is_the_senders_bytes_behind_our_marks() {
    let server = RedisServer::start().await.unwrap();
    let store = open(&server).await;
    let envelope = r#"{"body": "W1tdLCB7fSwge31d", "content-encoding": "utf-8", "content-type": "application/json", "headers": {"task": "t", "id": "a", "x": 1.50}, "properties": {"correlation_id": "a", "priority": 0, "delivery_tag": "1", "body_encoding": "base64"}}"#;
    server.command(&["LPUSH", "mail", envelope]).await.unwrap();
    let consumer = join(&store, "one").await;
    let delivery = take(consumer.as_ref()).await;
    consumer.mark_started(delivery.lease);
    soon(consumer.close()).await.unwrap();
    let stored = server.command(&["LINDEX", "mail", "-1"]).await.unwrap();
    assert_eq!(stored, format!("{{\"cardoon\":{{\"redelivered\":true}},{}", &envelope[1..]));
}

#[tokio::test(flavor = "multi_thread")]
async fn tools_see_our_queues_as_celerys() {
    let server = RedisServer::start().await.unwrap();
    let store = open(&server).await;
    send(&store, &["a"]).await;
    let bound = server.command(&["SMEMBERS", "_kombu.binding.mail"]).await.unwrap();
    assert_eq!(bound, "mail\x06\x16\x06\x16mail");
    assert!(store.inspect().queues().await.unwrap().iter().any(|stats| stats.queue.as_str() == "mail"));
}

#[tokio::test(flavor = "multi_thread")]
async fn queues_that_celery_declared_are_found_without_a_look_at_all_keys_each_time() {
    let server = RedisServer::start().await.unwrap();
    let store = open(&server).await;
    for (exchange, queue) in [("other", "foreign"), ("celery.pidbox", "w1@host.celery.pidbox")] {
        let (key, member) = (format!("_kombu.binding.{exchange}"), format!("\x06\x16\x06\x16{queue}"));
        server.command(&["SADD", &key, &member]).await.unwrap();
        server.command(&["LPUSH", queue, "a message"]).await.unwrap();
    }
    for _ in 0..3 {
        let queues = store.inspect().queues().await.unwrap();
        let names: Vec<_> = queues.iter().map(|stats| stats.queue.as_str()).collect();
        assert_eq!(names, ["foreign"]);
    }
    let stats = server.command(&["INFO", "commandstats"]).await.unwrap();
    assert!(stats.contains("cmdstat_scan:calls=1,"), "{stats}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_of_an_unknown_format_stays_whole() {
    let server = RedisServer::start().await.unwrap();
    let store = open(&server).await;
    server.command(&["LPUSH", "mail", "no envelope"]).await.unwrap();
    let consumer = join(&store, "one").await;
    let delivery = take(consumer.as_ref()).await;
    let (_, place) = store.inspect().locate(&delivery.message.id).await.unwrap().unwrap();
    assert!(matches!(place, Place::Held { .. }));
    soon(consumer.close()).await.unwrap();
    assert_eq!(server.command(&["LRANGE", "mail", "0", "-1"]).await.unwrap(), "no envelope");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ignored_result_is_not_kept() {
    let server = RedisServer::start().await.unwrap();
    let store = open(&server).await;
    send(&store, &["a"]).await;
    let consumer = join(&store, "one").await;
    let mut verdict = success(&take(consumer.as_ref()).await, 1);
    verdict.record.as_mut().unwrap().value = None;
    settle(consumer.as_ref(), verdict).await;
    assert_eq!(server.command(&["EXISTS", "celery-task-meta-a"]).await.unwrap(), "0");
}
