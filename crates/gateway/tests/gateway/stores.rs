//! The same on the stores that people use.

use cardoon::Stores;
use cardoon_gateway::GatewayOptions;
use cardoon_runtime::Clock;
use cardoon_testkit::{RedisServer, eventually};
use futures_util::future::join_all;
use serde_json::json;

use crate::world::{DEADLINE, World};

async fn world_at(url: &str) -> World {
    let stores: Stores = cardoon_connect::connect(url, None, &Clock::real()).await.unwrap();
    World::at(stores, GatewayOptions::default()).await
}

/// Sends, repeats, looks, fails, retries otherwise, pauses and purges.
async fn all_of_it(world: World) {
    let world = world.work();
    let key = [("Idempotency-Key", "k")];
    let call = r#"{"task": "cardoon.add", "args": [2, 3]}"#;
    let first = world.ask("POST", "/api/v1/tasks", &key, Some(call)).await.json();
    let id = first["id"].as_str().unwrap().to_owned();
    assert_eq!(world.ended(&id).await["record"]["result"], 5);
    let again = world.ask("POST", "/api/v1/tasks", &key, Some(call)).await;
    assert_eq!((again.status, &again.json()["id"]), (200, &first["id"]));
    assert_eq!(world.ask("POST", "/api/v1/tasks", &key, Some(r#"{"task": "t"}"#)).await.code(), "CD7004");
    let calls: Vec<_> = (0..100).map(|n| json!({ "task": "cardoon.echo", "args": [n] })).collect();
    let sent = world.post("/api/v1/tasks/batch", json!({ "tasks": calls })).await.json();
    for result in sent["results"].as_array().unwrap() {
        world.ended(result["id"].as_str().unwrap()).await;
    }
    let page = world.look("/api/v1/tasks?state=SUCCESS&limit=60").await;
    let next = page["next"].as_str().unwrap();
    let rest = world.look(&format!("/api/v1/tasks?state=SUCCESS&limit=60&after={next}")).await;
    assert_eq!(page["items"].as_array().unwrap().len() + rest["items"].as_array().unwrap().len(), 101);
    let failed = world.send("cardoon.add", json!(["x", 1])).await;
    let is_dead = async || !world.look(&format!("/api/v1/tasks/{failed}")).await["dead"].is_null();
    eventually("the dead letter", DEADLINE, is_dead).await;
    let edited = world.post(&format!("/api/v1/tasks/{failed}/retry"), json!({ "args": [4, 5] })).await.json();
    assert_eq!(world.ended(edited["id"].as_str().unwrap()).await["record"]["result"], 9);
    world.post("/api/v1/queues/later/pause", json!({})).await;
    world.send_with(json!({ "task": "t", "queue": "later" })).await;
    assert_eq!(world.post("/api/v1/queues/later/purge", json!({})).await.json()["count"], 1);
    assert_eq!(world.get("/readyz").await.status, 200);
    assert!(world.get("/metrics").await.text.contains("cardoon_worker_up{worker=\"the-worker\"} 1"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_gateway_works_on_sqlite() {
    let folder = cardoon_testkit::folder().unwrap();
    all_of_it(world_at(&format!("sqlite:{}", folder.path().join("tasks.db").display())).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_gateway_works_on_redis() {
    let server = RedisServer::start().await.unwrap();
    all_of_it(world_at(&server.url()).await).await;
}

/// Lists of Redis take the same message many times.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_that_race_for_a_key_store_one_message_on_redis() {
    let server = RedisServer::start().await.unwrap();
    let (one, other) = (world_at(&server.url()).await, world_at(&server.url()).await);
    let call = json!({ "task": "t", "queue": "calls" });
    let calls = vec![json!({ "task": "t", "queue": "batches" }); 50];
    for (path, body) in [("/api/v1/tasks", call), ("/api/v1/tasks/batch", json!({ "tasks": calls }))] {
        let body = body.to_string();
        for round in 0..10 {
            let key = format!("{path} {round}");
            let ask = |n| {
                let world = if n % 2 == 0 { &one } else { &other };
                let (key, body) = ([("Idempotency-Key", key.as_str())], &body);
                async move { world.ask("POST", path, &key, Some(body)).await }
            };
            let mut replies: Vec<_> = join_all((0..10).map(ask)).await;
            replies.sort_by_key(|reply| reply.status);
            let statuses: Vec<_> = replies.iter().map(|reply| reply.status).collect();
            assert_eq!(statuses, [[200; 9].as_slice(), &[201]].concat(), "{replies:?}");
        }
    }
    let ready = async |queue| one.look(&format!("/api/v1/queues/{queue}")).await["ready"].clone();
    assert_eq!((ready("calls").await, ready("batches").await), (json!(10), json!(500)));
}
