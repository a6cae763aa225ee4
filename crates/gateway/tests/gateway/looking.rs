use std::collections::HashSet;

use cardoon_testkit::eventually;
use serde_json::{Value, json};

use crate::world::{DEADLINE, World};

async fn ids_of_all_pages(world: &World, query: &str) -> Vec<String> {
    let (mut ids, mut after) = (Vec::new(), String::new());
    loop {
        let page = world.look(&format!("/api/v1/tasks?limit=3{query}{after}")).await;
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= 3);
        ids.extend(items.iter().map(|item| item["id"].as_str().unwrap().to_owned()));
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return ids,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_in_pages_goes_from_those_that_wait_to_those_that_ended_and_has_each_once() {
    let world = World::new().await.work();
    let mut ended = Vec::new();
    for n in 0..7 {
        ended.push(world.send("cardoon.echo", json!([n])).await);
    }
    for id in &ended {
        world.ended(id).await;
    }
    let mut waiting = Vec::new();
    for _ in 0..8 {
        waiting.push(world.send_with(json!({ "task": "t", "queue": "nobody" })).await);
    }
    let listed = ids_of_all_pages(&world, "").await;
    assert_eq!(listed[..8], waiting);
    let rest: HashSet<_> = listed[8..].iter().cloned().collect();
    assert_eq!((listed.len(), rest), (15, ended.iter().cloned().collect()));
    assert_eq!(ids_of_all_pages(&world, "&state=PENDING").await.len(), 8);
    assert_eq!(ids_of_all_pages(&world, "&state=success&task=cardoon.echo").await.len(), 7);
    assert_eq!(ids_of_all_pages(&world, "&queue=nobody").await.len(), 8);
    assert_eq!(ids_of_all_pages(&world, &format!("&text={}", ended[3])).await, ended[3..4]);
    assert_eq!(ids_of_all_pages(&world, "&until=2001-01-01T00:00:00Z").await.len(), 0);
}

#[tokio::test]
async fn wrong_parameters_are_refused() {
    let world = World::new().await;
    for path in [
        "/api/v1/tasks?sate=SUCCESS",
        "/api/v1/tasks?state=DONE",
        "/api/v1/tasks?limit=0",
        "/api/v1/tasks?limit=1001",
        "/api/v1/tasks?limit=x",
        "/api/v1/tasks?after=x",
        "/api/v1/tasks?since=yesterday",
        "/api/v1/tasks/a?wait=2h",
        "/api/v1/tasks/a?wait=30",
        "/api/v1/queues?all=1",
        "/api/v1/dead?reason=bad",
        "/api/v1/events?after=x",
    ] {
        let reply = world.get(path).await;
        assert_eq!((reply.status, reply.code()), (400, "CD7005".to_owned()), "{path}: {reply:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wait_ends_when_its_time_is_over() {
    let world = World::new().await;
    let id = world.send("t", json!([])).await;
    let task = world.look(&format!("/api/v1/tasks/{id}?wait=50ms")).await;
    assert_eq!(task["state"], "PENDING");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn why_says_it_for_programs_and_for_people() {
    let world = World::new().await;
    let id = world.send("t", json!([])).await;
    let path = format!("/api/v1/tasks/{id}/why");
    let why = world.look(&path).await;
    assert_eq!(why["reason"], "queue-has-no-worker");
    assert_eq!(why["sentence"], "No live worker takes from the queue celery.");
    let reply = world.ask("GET", &path, &[("Accept-Language", "zh")], None).await;
    assert_eq!(reply.json()["sentence"], "没有在线的 worker 处理队列 celery。");
    let reply = world.get("/api/v1/tasks/nobody/why").await;
    assert_eq!((reply.status, reply.code()), (404, "CD3004".to_owned()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn queues_workers_and_dead_letters_are_shown() {
    let world = World::new().await.work();
    let id = world.send_with(json!({ "task": "t", "queue": "a/b", "args": [7] })).await;
    let queue = world.look("/api/v1/queues/a%2Fb").await;
    assert_eq!((&queue["ready"], &queue["paused"]), (&json!(1), &json!(false)));
    let messages = world.look("/api/v1/queues/a%2Fb/messages?limit=1").await;
    assert_eq!((&messages["items"][0]["id"], &messages["items"][0]["args"]), (&json!(id), &json!([7])));
    assert_eq!(world.look("/api/v1/queues/unheard-of").await["ready"], 0);
    eventually("the worker", DEADLINE, async || world.look("/api/v1/workers").await["items"] != json!([]))
        .await;
    let workers = world.look("/api/v1/workers").await;
    assert_eq!(
        (&workers["items"][0]["worker"], &workers["items"][0]["slots"]),
        (&json!("the-worker"), &json!(4))
    );
    let failed = world.send("cardoon.add", json!(["x"])).await;
    let is_dead = async || !world.look(&format!("/api/v1/tasks/{failed}")).await["dead"].is_null();
    eventually("the dead letter", DEADLINE, is_dead).await;
    let dead = world.look("/api/v1/dead?reason=bad-arguments").await;
    assert_eq!(dead["items"][0]["id"], failed.as_str());
    let letter = world.look(&format!("/api/v1/dead/{failed}")).await;
    assert!(letter["body"]["text"].as_str().unwrap().contains("\"x\""), "{letter}");
    assert_eq!(world.get("/api/v1/dead/nobody").await.status, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_that_does_not_show_all_says_so() {
    let world = World::new().await.work();
    for n in 0..3 {
        world.send_with(json!({ "task": "t", "queue": "q", "args": [n] })).await;
    }
    let seen = async |path: &str| {
        let page = world.look(path).await;
        (page["items"].as_array().unwrap().len(), page["more"].clone())
    };
    for (limit, expected) in [(2, (2, json!(true))), (3, (3, json!(false))), (4, (3, json!(false)))] {
        assert_eq!(seen(&format!("/api/v1/queues/q/messages?limit={limit}")).await, expected);
    }
    assert_eq!(seen("/api/v1/tasks?limit=2").await, (2, json!(true)));
    assert_eq!(seen("/api/v1/tasks?limit=4").await, (3, json!(false)));
    for _ in 0..3 {
        world.send("cardoon.add", json!(["x"])).await;
    }
    eventually("the dead letters", DEADLINE, async || seen("/api/v1/dead").await == (3, json!(false))).await;
    assert_eq!(seen("/api/v1/dead?limit=2").await, (2, json!(true)));
}

#[tokio::test]
async fn the_letters_of_no_ids_are_not_those_of_all() {
    let world = World::new().await;
    for path in ["/api/v1/dead/redrive", "/api/v1/dead/purge"] {
        for more in [json!({}), json!({ "queue": "celery" }), json!({ "all": true })] {
            let mut choice = more;
            choice["ids"] = json!([]);
            let reply = world.post(path, choice.clone()).await;
            assert_eq!((reply.status, reply.code()), (400, "CD7005".to_owned()), "{path} {choice}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metrics_have_the_promised_names() {
    let world = World::new().await;
    world.get("/metrics").await;
    let world = world.work();
    let text = async || world.get("/metrics").await.text;
    eventually("a task is counted", DEADLINE, async || {
        let id = world.send("cardoon.noop", json!([])).await;
        world.ended(&id).await;
        let counted = "cardoon_tasks_total{task=\"cardoon.noop\",queue=\"celery\",state=\"succeeded\"}";
        text().await.contains(counted)
    })
    .await;
    let text = text().await;
    for name in [
        "cardoon_task_runtime_seconds_count{task=\"cardoon.noop\"}",
        "cardoon_queue_depth{queue=\"celery\",place=\"ready\"} 0",
        "cardoon_queue_oldest_age_seconds{queue=\"celery\"}",
        "cardoon_worker_up{worker=\"the-worker\"} 1",
        "cardoon_worker_slots{worker=\"the-worker\"} 4",
        "cardoon_worker_slots_busy{worker=\"the-worker\"}",
        "cardoon_broker_roundtrip_seconds_count",
    ] {
        assert!(text.contains(name), "{name}: {text}");
    }
}

#[tokio::test]
async fn probes_tell_the_process_from_the_stores() {
    let world = World::new().await;
    assert_eq!((world.get("/livez").await.status, world.get("/readyz").await.status), (200, 200));
}

#[tokio::test]
async fn unknown_paths_and_methods_are_told_apart() {
    let world = World::new().await;
    let reply = world.get("/api/v1/task").await;
    assert_eq!((reply.status, reply.code()), (404, "CD7006".to_owned()));
    let reply = world.ask("DELETE", "/api/v1/tasks", &[], None).await;
    assert_eq!((reply.status, reply.code()), (405, "CD7006".to_owned()));
    assert!(reply.head.to_lowercase().contains("allow: "), "{reply:?}");
}

#[tokio::test]
async fn every_path_that_is_served_is_described() {
    let world = World::new().await;
    let description: Value = world.look("/api/v1/openapi.json").await;
    let paths: HashSet<&str> = description["paths"].as_object().unwrap().keys().map(String::as_str).collect();
    for path in ["/api/v1/tasks", "/api/v1/tasks/{id}/retry", "/api/v1/events", "/metrics", "/readyz"] {
        assert!(paths.contains(path), "{path}: {paths:?}");
    }
    assert_eq!(serde_json::to_value(cardoon_gateway::description()).unwrap(), description);
}
