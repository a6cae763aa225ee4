use std::sync::Arc;

use cardoon::{Applied, Stores};
use cardoon_broker::memory::MemoryBroker;
use cardoon_runtime::Clock;
use cardoon_testkit::eventually;
use futures_util::future::join_all;
use serde_json::json;

use crate::client::{Reply, request};
use crate::world::{DEADLINE, World};

const CALL: &str = r#"{"task": "cardoon.echo", "args": ["a b"]}"#;
const OTHER_CALL: &str = r#"{"task": "cardoon.echo", "args": ["ab"]}"#;

async fn send(world: &World, key: &str, body: &str) -> Reply {
    world.ask("POST", "/api/v1/tasks", &[("Idempotency-Key", key)], Some(body)).await
}

#[tokio::test]
async fn a_repeat_is_answered_with_the_same_id_and_adds_nothing() {
    let world = World::new().await;
    let first = send(&world, "k", CALL).await;
    let again = send(&world, "k", r#"{ "task":"cardoon.echo",   "args":["a b"]}"#).await;
    assert_eq!((first.status, again.status), (201, 200));
    assert_eq!(first.json()["id"], again.json()["id"]);
    assert_eq!(again.json()["repeated"], true);
    assert_ne!(send(&world, "other", CALL).await.json()["id"], first.json()["id"]);
    assert_eq!(world.look("/api/v1/queues/celery").await["ready"], 2);
}

#[tokio::test]
async fn other_arguments_under_the_same_key_are_refused() {
    let world = World::new().await;
    let id = send(&world, "k", CALL).await.json()["id"].as_str().unwrap().to_owned();
    let reply = send(&world, "k", OTHER_CALL).await;
    assert_eq!((reply.status, reply.code()), (409, "CD7004".to_owned()));
    assert!(reply.text.contains(&id), "{reply:?}");
    assert_eq!(world.look("/api/v1/queues/celery").await["ready"], 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_that_race_for_a_key_send_one_task_that_runs_once() {
    let world = World::new().await.work();
    for round in 0..10 {
        let key = format!("k{round}");
        let replies = join_all((0..20).map(|_| send(&world, &key, CALL))).await;
        let id = replies[0].json()["id"].as_str().unwrap().to_owned();
        assert!(replies.iter().all(|reply| reply.json()["id"] == id.as_str()), "{replies:?}");
        assert_eq!(replies.iter().filter(|reply| reply.status == 201).count(), 1);
        let task = world.ended(&id).await;
        assert_eq!(task["history"].as_array().unwrap().len(), 1, "{task}");
    }
    let ended = world.look("/api/v1/tasks?state=SUCCESS").await;
    assert_eq!(ended["items"].as_array().unwrap().len(), 10);
}

/// A world whose broker fails when it is told to.
async fn faulty() -> (World, Arc<MemoryBroker>) {
    let clock = Clock::real();
    let broker = MemoryBroker::new(clock.clone());
    let stores = Stores { broker: broker.clone(), ..cardoon_connect::memory(&clock) };
    (World::at(stores, cardoon_gateway::GatewayOptions::default()).await, broker)
}

#[tokio::test]
async fn a_request_of_which_nobody_knows_whether_it_was_sent_is_sent_by_its_repeat() {
    let (world, broker) = faulty().await;
    broker.faults().fail_next(5, Applied::Unknown);
    assert!(send(&world, "k", CALL).await.status >= 500);
    let other = send(&world, "k", OTHER_CALL).await;
    assert_eq!((other.status, other.text.contains("was sent under")), (409, false), "{other:?}");
    let first = send(&world, "k", CALL).await;
    let again = send(&world, "k", CALL).await;
    assert_eq!((first.status, again.status, &first.json()["id"]), (200, 200, &again.json()["id"]));
    assert!(other.text.contains(first.json()["id"].as_str().unwrap()));
    assert_eq!(world.look("/api/v1/queues/celery").await["ready"], 1);
}

#[tokio::test]
async fn the_key_of_a_request_that_was_refused_is_free() {
    let (world, broker) = faulty().await;
    let deep = format!(r#"{{"task": "t", "args": {}{}}}"#, "[".repeat(300), "]".repeat(300));
    assert_eq!(send(&world, "k", &deep).await.code(), "CD2006");
    broker.faults().fail_next(1, Applied::No);
    assert!(send(&world, "k", OTHER_CALL).await.status >= 500);
    assert_eq!(send(&world, "k", CALL).await.status, 201);
    assert_eq!(send(&world, "k", CALL).await.status, 200);
    assert_eq!(world.look("/api/v1/queues/celery").await["ready"], 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_whose_client_hangs_up_is_brought_to_its_end() {
    let (world, broker) = faulty().await;
    broker.faults().fail_next(4, Applied::Unknown);
    let mut wire = world.wire().await;
    wire.write(request("POST", "/api/v1/tasks", &[("Idempotency-Key", "k")], Some(CALL))).await;
    let is_tried = async || world.get("/api/v1/queues/celery").await.text.contains("\"ready\":1");
    eventually("the first try", DEADLINE, is_tried).await;
    drop(wire);
    let is_noted = async || send(&world, "k", OTHER_CALL).await.text.contains("was sent under");
    eventually("it is noted that it was sent", DEADLINE, is_noted).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeat_is_not_asked_for_a_worker_again() {
    let world = World::new().await.work();
    let workers = async || world.look("/api/v1/workers").await["items"].as_array().unwrap().len();
    eventually("the worker", DEADLINE, async || workers().await == 1).await;
    let call = r#"{"task": "cardoon.noop", "require_worker": true}"#;
    let batch = format!(r#"{{"tasks": [{call}]}}"#);
    let send_batch =
        async |key| world.ask("POST", "/api/v1/tasks/batch", &[("Idempotency-Key", key)], Some(&batch)).await;
    let first = send(&world, "one", call).await;
    assert_eq!((first.status, send_batch("many").await.status), (201, 201));
    world.post("/api/v1/workers/the-worker/drain", json!({})).await;
    eventually("it leaves", DEADLINE, async || workers().await == 0).await;
    let again = send(&world, "one", call).await;
    assert_eq!((again.status, &again.json()["id"]), (200, &first.json()["id"]));
    assert_eq!(send_batch("many").await.status, 200);
    assert_eq!(
        (send(&world, "new", call).await.code(), send_batch("new").await.code()),
        ("CD3005".into(), "CD3005".into())
    );
    assert_eq!(send(&world, "new", CALL).await.status, 201);
}

#[tokio::test]
async fn a_batch_has_one_key() {
    let world = World::new().await;
    let body = json!({ "tasks": [{ "task": "t" }, { "task": "u" }] }).to_string();
    let send =
        async || world.ask("POST", "/api/v1/tasks/batch", &[("Idempotency-Key", "k")], Some(&body)).await;
    let (first, again) = (send().await, send().await);
    assert_eq!((first.status, again.status), (201, 200));
    assert_eq!(first.json()["results"], again.json()["results"]);
    assert_eq!(world.look("/api/v1/queues/celery").await["ready"], 2);
}

#[tokio::test]
async fn a_key_that_is_none_is_refused() {
    let world = World::new().await;
    for key in ["", &"k".repeat(256)] {
        assert_eq!(send(&world, key, CALL).await.code(), "CD7005", "{key:?}");
    }
}
