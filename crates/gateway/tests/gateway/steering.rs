use cardoon_testkit::eventually;
use futures_util::future::join_all;
use serde_json::json;

use crate::client::Reply;
use crate::world::{DEADLINE, World};

async fn dead(world: &World, args: serde_json::Value) -> String {
    dead_of(world, json!({ "task": "cardoon.add", "args": args })).await
}

async fn dead_of(world: &World, call: serde_json::Value) -> String {
    let id = world.send_with(call).await;
    let is_dead = async || !world.look(&format!("/api/v1/tasks/{id}")).await["dead"].is_null();
    eventually("the dead letter", DEADLINE, is_dead).await;
    id
}

#[tokio::test]
async fn a_paused_queue_says_so_until_it_is_resumed() {
    let world = World::new().await;
    let post = async |path| world.post(path, json!({})).await.json();
    assert_eq!(post("/api/v1/queues/q/pause").await["changed"], true);
    assert_eq!(post("/api/v1/queues/q/pause").await["changed"], false);
    assert_eq!(world.look("/api/v1/queues/q").await["paused"], true);
    assert_eq!(post("/api/v1/queues/q/resume").await["changed"], true);
    assert_eq!(world.look("/api/v1/queues/q").await["paused"], false);
}

#[tokio::test]
async fn a_purge_counts_before_it_deletes() {
    let world = World::new().await;
    world.send("t", json!([])).await;
    world.send_with(json!({ "task": "t", "countdown": "1h" })).await;
    let path = "/api/v1/queues/celery/purge";
    assert_eq!(
        world.post(path, json!({ "dry_run": true })).await.json(),
        json!({ "count": 2, "dry_run": true })
    );
    assert_eq!(world.ask("POST", path, &[], None).await.json(), json!({ "count": 2, "dry_run": false }));
    assert_eq!(world.look("/api/v1/tasks").await["items"], json!([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_task_is_sent_again_as_it_was_or_otherwise() {
    let world = World::new().await.work();
    let id = dead(&world, json!(["x", 1])).await;
    let again = world.ask("POST", &format!("/api/v1/tasks/{id}/retry"), &[], None).await;
    assert_eq!((again.status, &again.json()["id"]), (201, &json!(id)));
    let is_dead = async || world.look("/api/v1/dead").await["items"].as_array().unwrap().len() == 1;
    eventually("it fails again", DEADLINE, is_dead).await;
    let edited = world.post(&format!("/api/v1/tasks/{id}/retry"), json!({ "args": [2, 3] })).await.json();
    assert_ne!(edited["id"], id.as_str());
    let task = world.ended(edited["id"].as_str().unwrap()).await;
    assert_eq!(task["record"]["result"], 5);
    assert_eq!(world.look("/api/v1/dead").await["items"], json!([]));
}

/// Ten requests at once that send a dead task to a queue that nobody serves.
async fn redirect(world: &World, id: &str, key: impl Fn(usize) -> Option<String>) -> Vec<Reply> {
    let path = format!("/api/v1/tasks/{id}/retry");
    let ask = |n| {
        let (key, path) = (key(n), &path);
        async move {
            let headers: Vec<_> = key.iter().map(|key| ("Idempotency-Key", key.as_str())).collect();
            world.ask("POST", path, &headers, Some(r#"{"queue": "idle"}"#)).await
        }
    };
    join_all((0..10).map(ask)).await
}

fn with_status(replies: &[Reply], status: u16) -> usize {
    replies.iter().filter(|reply| reply.status == status).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edited_retry_may_be_repeated_under_a_key() {
    let world = World::new().await.work();
    let id = dead(&world, json!(["x", 1])).await;
    let replies = redirect(&world, &id, |_| Some("k".to_owned())).await;
    assert_eq!((with_status(&replies, 201), with_status(&replies, 200)), (1, 9), "{replies:?}");
    let new = replies[0].json()["id"].clone();
    assert!(replies.iter().all(|reply| reply.json()["id"] == new));
    assert_eq!(world.look("/api/v1/dead").await["items"], json!([]));
    let retry = async |id: &str, body: &str| {
        world.ask("POST", &format!("/api/v1/tasks/{id}/retry"), &[("Idempotency-Key", "k")], Some(body)).await
    };
    let later = retry(&id, r#"{"queue": "idle"}"#).await;
    assert_eq!((later.status, &later.json()["id"]), (200, &new));
    assert_eq!(retry(&id, r#"{"queue": "other"}"#).await.code(), "CD7004");
    assert_eq!(retry("another", r#"{"queue": "idle"}"#).await.code(), "CD7004");
    assert_eq!(world.look("/api/v1/queues/idle").await["ready"], 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn edited_retries_of_one_letter_send_one_task_whatever_their_keys() {
    let world = World::new().await.work();
    let id = dead(&world, json!(["x", 1])).await;
    let replies = redirect(&world, &id, |_| None).await;
    assert_eq!(with_status(&replies, 201), 1, "{replies:?}");
    let id = dead(&world, json!(["y", 1])).await;
    let replies = redirect(&world, &id, |n| Some(format!("k{n}"))).await;
    assert_eq!((with_status(&replies, 201), with_status(&replies, 409)), (1, 9), "{replies:?}");
    assert_eq!(world.look("/api/v1/queues/idle").await["ready"], 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_retry_as_it_was_may_be_repeated_under_a_key() {
    let world = World::new().await.work();
    let id = dead(&world, json!(["x", 1])).await;
    let retry = async || {
        world.ask("POST", &format!("/api/v1/tasks/{id}/retry"), &[("Idempotency-Key", "k")], None).await
    };
    let (first, again) = (retry().await, retry().await);
    assert_eq!((first.status, again.status), (201, 200));
    assert_eq!((&first.json()["id"], &again.json()["id"]), (&json!(id), &json!(id)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edited_retry_keeps_headers_and_trace_and_does_not_expire() {
    const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let world = World::new().await.work();
    let headers = json!({ "tenant": "a", "traceparent": TRACE });
    let call = json!({ "task": "cardoon.add", "args": ["x", 1], "expires_in": "1h", "headers": headers });
    let id = dead_of(&world, call).await;
    let path = format!("/api/v1/tasks/{id}/retry");
    let new = world.post(&path, json!({ "args": [2, 3], "queue": "idle" })).await.json()["id"].clone();
    let new = new.as_str().unwrap().parse().unwrap();
    let (waiting, _) = world.app.stores().broker.inspect().locate(&new).await.unwrap().unwrap();
    let message = waiting.message;
    let headers: serde_json::Value = serde_json::from_slice(&message.headers).unwrap();
    assert_eq!((&headers["tenant"], &headers["traceparent"]), (&json!("a"), &json!(TRACE)));
    assert_eq!((&headers["id"], message.attempt, message.expires), (&json!(new.as_str()), 0, None));
    assert_eq!(headers["expires"], json!(null));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_may_be_left_out_may_be_empty() {
    let world = World::new().await.work();
    let id = dead(&world, json!(["x", 1])).await;
    for path in [format!("/api/v1/tasks/{id}/retry"), "/api/v1/queues/celery/purge".to_owned()] {
        let reply = world.ask("POST", &path, &[], Some("")).await;
        assert!((200..=201).contains(&reply.status), "{path}: {reply:?}");
        let headers = [("Content-Type", "text/plain")];
        assert_eq!(world.ask("POST", &path, &headers, Some("{}")).await.status, 415, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_retried_says_why() {
    let world = World::new().await.work();
    let id = world.send("cardoon.noop", json!([])).await;
    world.ended(&id).await;
    let retry = async |id: &str| world.post(&format!("/api/v1/tasks/{id}/retry"), json!({})).await;
    // The record is there before the message is gone.
    eventually("it is over", DEADLINE, async || retry(&id).await.code() != "CD4004").await;
    let reply = retry(&id).await;
    assert_eq!((reply.status, reply.code()), (409, "CD3011".to_owned()));
    assert_eq!(retry("nobody").await.code(), "CD3004");
}

#[tokio::test]
async fn a_revoked_task_is_not_executed() {
    let world = World::new().await;
    let id = world.send("cardoon.noop", json!([])).await;
    let reply = world.post("/api/v1/tasks/revoke", json!({ "ids": [id, "nobody"] })).await.json();
    assert_eq!(reply["results"][0]["revoked"], "waiting");
    assert_eq!(reply["results"][1]["revoked"], "unknown");
    let world = world.work();
    assert_eq!(world.ended(&id).await["state"], "REVOKED");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dead_letters_are_counted_redriven_and_purged_by_what_they_have_in_common() {
    let world = World::new().await.work();
    dead(&world, json!(["x", 1])).await;
    dead(&world, json!(["y", 1])).await;
    let count = async |path, body| world.post(path, body).await.json()["count"].clone();
    let all = json!({ "reason": "bad-arguments", "dry_run": true });
    assert_eq!(count("/api/v1/dead/redrive", all).await, 2);
    assert_eq!(count("/api/v1/dead/redrive", json!({ "queue": "other" })).await, 0);
    let reply = world.post("/api/v1/dead/purge", json!({})).await;
    assert_eq!((reply.status, reply.code()), (422, "CD4006".to_owned()));
    assert_eq!(count("/api/v1/dead/redrive", json!({ "reason": "bad-arguments" })).await, 2);
    let are_dead = async || world.look("/api/v1/dead").await["items"].as_array().unwrap().len() == 2;
    eventually("they fail again", DEADLINE, are_dead).await;
    assert_eq!(count("/api/v1/dead/purge", json!({ "all": true })).await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_is_drained_leaves() {
    let world = World::new().await.work();
    let workers = async || world.look("/api/v1/workers").await["items"].as_array().unwrap().len();
    eventually("the worker", DEADLINE, async || workers().await == 1).await;
    let told = world.post("/api/v1/workers/the-worker/drain", json!({})).await.json();
    assert_eq!(told["told"][0]["order"], "drain");
    eventually("it leaves", DEADLINE, async || workers().await == 0).await;
    let reply = world.post("/api/v1/workers/the-worker/stop", json!({})).await;
    assert_eq!((reply.status, reply.code()), (404, "CD3015".to_owned()));
}
