use cardoon::{Applied, Stores};
use cardoon_broker::memory::MemoryBroker;
use cardoon_runtime::Clock;
use futures_util::future::join_all;
use serde_json::json;

use crate::client::Reply;
use crate::world::World;

const CALL: &str = r#"{"task": "cardoon.echo", "args": ["a b"]}"#;

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
    let reply = send(&world, "k", r#"{"task": "cardoon.echo", "args": ["ab"]}"#).await;
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

#[tokio::test]
async fn a_request_that_was_reserved_and_never_sent_is_sent_by_its_repeat() {
    let clock = Clock::real();
    let broker = MemoryBroker::new(clock.clone());
    let stores = Stores { broker: broker.clone(), ..cardoon_connect::memory(&clock) };
    let world = World::at(stores, cardoon_gateway::GatewayOptions::default()).await;
    broker.faults().fail_next(1, Applied::No);
    let failed = send(&world, "k", CALL).await;
    assert!(failed.status >= 500, "{failed:?}");
    assert_eq!(world.look("/api/v1/queues/celery").await["ready"], 0);
    let first = send(&world, "k", CALL).await;
    assert_eq!(
        (first.status, send(&world, "k", CALL).await.json()["id"].clone()),
        (200, first.json()["id"].clone())
    );
    assert_eq!(world.look("/api/v1/queues/celery").await["ready"], 1);
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
