use cardoon_testkit::eventually;
use serde_json::json;

use crate::world::{DEADLINE, World};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_is_sent_executed_and_waited_for() {
    let world = World::new().await.work();
    let id = world.send("cardoon.add", json!([2, 3])).await;
    let task = world.ended(&id).await;
    assert_eq!((&task["state"], &task["record"]["result"]), (&json!("SUCCESS"), &json!(5)));
}

#[tokio::test]
async fn every_option_reaches_the_message() {
    let world = World::new().await;
    let id = world
        .send_with(json!({
            "task": "mail.send", "args": [1.0, "é"], "kwargs": {"copies": 2}, "queue": "mail", "priority": 9,
            "countdown": "1h", "expires_in": "2h", "id": "order-7", "ignore_result": true,
            "soft_time_limit": "30s", "time_limit": "1m", "headers": {"tenant": "a"},
        }))
        .await;
    assert_eq!(id, "order-7");
    let task = world.look("/api/v1/tasks/order-7").await;
    assert_eq!(task["args"], json!([1.0, "é"]));
    assert_eq!(task["kwargs"], json!({"copies": 2}));
    assert_eq!((&task["message"]["place"], &task["message"]["queue"]), (&json!("delayed"), &json!("mail")));
    let found = world.app.stores().broker.inspect().locate(&"order-7".parse().unwrap()).await.unwrap();
    let (waiting, _) = found.unwrap();
    let headers: serde_json::Value = serde_json::from_slice(&waiting.message.headers).unwrap();
    assert_eq!((waiting.message.priority.level(), &headers["tenant"]), (9, &json!("a")));
    assert_eq!(headers["timelimit"], json!([60.0, 30.0]));
    assert!(waiting.message.expires.is_some());
}

#[tokio::test]
async fn a_batch_is_sent_whole_or_not_at_all_if_a_call_cannot_be_understood() {
    let world = World::new().await;
    let good = json!({ "task": "t" });
    let reply = world.post("/api/v1/tasks/batch", json!({ "tasks": [good, good, good] })).await;
    assert_eq!((reply.status, reply.json()["sent"].as_u64()), (201, Some(3)));
    let bad = json!({ "task": "t", "countdown": "soon" });
    let reply = world.post("/api/v1/tasks/batch", json!({ "tasks": [good, bad] })).await;
    assert_eq!((reply.status, reply.code()), (400, "CD7005".to_owned()));
    assert!(reply.text.contains("tasks[1]"), "{reply:?}");
    assert_eq!(world.look("/api/v1/queues/celery").await["ready"], 3);
}

#[tokio::test]
async fn a_batch_tells_of_each_task_that_the_store_refuses() {
    let world =
        World::with(cardoon_gateway::GatewayOptions { body_limit: 40 << 20, ..Default::default() }).await;
    let large = json!({ "task": "t", "args": ["x".repeat(17 << 20)] });
    let reply = world.post("/api/v1/tasks/batch", json!({ "tasks": [{ "task": "t" }, large] })).await;
    let answer = reply.json();
    assert_eq!((reply.status, answer["sent"].as_u64(), answer["failed"].as_u64()), (207, Some(1), Some(1)));
    assert_eq!(answer["results"][1]["error"]["code"], "CD2002");
}

#[tokio::test]
async fn an_id_that_stands_twice_in_a_batch_is_refused() {
    let world = World::new().await;
    let tasks =
        [json!({ "task": "t", "id": "a" }), json!({ "task": "t" }), json!({ "task": "u", "id": "a" })];
    let reply = world.post("/api/v1/tasks/batch", json!({ "tasks": tasks })).await;
    assert_eq!((reply.status, reply.code()), (400, "CD7005".to_owned()));
    assert!(reply.text.contains("tasks[2]"), "{reply:?}");
    assert_eq!(world.look("/api/v1/tasks").await["items"], json!([]));
}

#[tokio::test]
async fn what_cannot_be_understood_is_refused_with_its_reason_and_nothing_is_sent() {
    let world = World::new().await;
    let deep = format!("{{\"task\": \"t\", \"args\": {}{}}}", "[".repeat(300), "]".repeat(300));
    for (body, status, code) in [
        ("{", 400, "CD7005"),
        ("[]", 400, "CD7005"),
        ("\"\u{fffd}", 400, "CD7005"),
        (r#"{"task": "t", "arg": []}"#, 400, "CD7005"),
        (r#"{"task": ""}"#, 400, "CD7005"),
        (r#"{"task": 1}"#, 400, "CD7005"),
        (r#"{"task": "t", "args": {}}"#, 400, "CD7005"),
        (r#"{"task": "t", "kwargs": []}"#, 400, "CD7005"),
        (r#"{"task": "t", "priority": 10}"#, 400, "CD7005"),
        (r#"{"task": "t", "eta": "tomorrow"}"#, 400, "CD7005"),
        (r#"{"task": "t", "headers": []}"#, 400, "CD7005"),
        (r#"{"task": "t", "headers": {"tenant": 1, "eta": "2099-01-01T00:00:00Z"}}"#, 400, "CD7005"),
        (r#"{"task": "t", "headers": {"i\u0064": "x"}}"#, 400, "CD7005"),
        (r#"{"task": "t", "queue": ""}"#, 422, "CD2005"),
        (r#"{"task": "t", "id": "a\nb"}"#, 422, "CD2005"),
        (r#"{"task": "t", "require_worker": true}"#, 422, "CD3005"),
        (&deep, 422, "CD2006"),
    ] {
        let reply = world.ask("POST", "/api/v1/tasks", &[], Some(body)).await;
        assert_eq!((reply.status, reply.code().as_str()), (status, code), "{body}: {reply:?}");
    }
    assert_eq!(world.look("/api/v1/tasks").await["items"], json!([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_that_a_worker_knows_may_be_required() {
    let world = World::new().await.work();
    eventually("the worker", DEADLINE, async || world.look("/api/v1/workers").await["items"] != json!([]))
        .await;
    let known = json!({ "task": "cardoon.noop", "require_worker": true });
    assert_eq!(world.post("/api/v1/tasks", known).await.status, 201);
    let unknown = json!({ "task": "mail.send", "require_worker": true });
    assert_eq!(world.post("/api/v1/tasks", unknown).await.code(), "CD3005");
}

#[tokio::test]
async fn many_requests_on_one_connection_are_answered_in_order() {
    let world = World::new().await;
    let mut wire = world.wire().await;
    for n in 0..50 {
        let body = json!({ "task": "t", "id": format!("id-{n}") }).to_string();
        wire.write(crate::client::request("POST", "/api/v1/tasks", &[], Some(&body))).await;
    }
    for n in 0..50 {
        assert_eq!(wire.reply().await.json()["id"], format!("id-{n}"));
    }
}

#[tokio::test]
async fn an_error_is_told_in_the_language_of_the_request() {
    let world = World::new().await;
    let path = "/api/v1/tasks/nobody";
    assert_eq!(world.get(path).await.json()["error"]["message"], "no task has the id nobody");
    let reply = world.ask("GET", path, &[("Accept-Language", "zh-CN,zh;q=0.9")], None).await;
    assert_eq!(reply.json()["error"]["message"], "没有 id 为 nobody 的任务");
}

#[tokio::test]
async fn the_errors_of_a_batch_are_told_in_the_language_of_the_request() {
    let world = World::new().await;
    let deep = format!(r#"{{"tasks": [{{"task": "t", "args": {}{}}}]}}"#, "[".repeat(300), "]".repeat(300));
    let reply = world.ask("POST", "/api/v1/tasks/batch", &[("Accept-Language", "zh")], Some(&deep)).await;
    let error = &reply.json()["results"][0]["error"];
    assert_eq!((&error["code"], &error["title"]), (&json!("CD2006"), &json!("有值无法写成 JSON")));
}

#[tokio::test]
async fn a_store_that_fails_is_the_servers_matter() {
    let world = World::new().await;
    world.app.stores().broker.close(DEADLINE).await.unwrap();
    let reply = world.post("/api/v1/tasks", json!({ "task": "t" })).await;
    assert_eq!((reply.status, reply.code()), (503, "CD1006".to_owned()));
}
