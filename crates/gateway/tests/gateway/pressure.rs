use cardoon_gateway::GatewayOptions;
use serde_json::json;

use crate::client::request;
use crate::world::World;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_clients_are_hung_up_on_and_hinder_nobody() {
    let world = World::new().await.work();
    let mut slow = Vec::new();
    for n in 0..300 {
        let mut wire = world.wire().await;
        let part = ["", "POST /api/v1/ta", "POST /api/v1/tasks HTTP/1.1\r\nHost: localhost\r\nX: "][n % 3];
        wire.write(part).await;
        slow.push(wire);
    }
    let id = world.send("cardoon.add", json!([1, 1])).await;
    assert_eq!(world.ended(&id).await["record"]["result"], 2);
    for wire in &mut slow {
        wire.is_hung_up().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_beyond_the_limit_are_turned_away_until_there_is_a_place() {
    let world = World::with(GatewayOptions { connections: 3, ..GatewayOptions::default() }).await;
    let mut inside = Vec::new();
    for _ in 0..3 {
        let mut wire = world.wire().await;
        wire.write(request("GET", "/livez", &[], None)).await;
        assert_eq!(wire.reply().await.status, 200);
        inside.push(wire);
    }
    assert_eq!(world.wire().await.reply().await.status, 503);
    inside.pop();
    let is_let_in = async || {
        let mut wire = world.wire().await;
        wire.write_until_refused(request("GET", "/livez", &[], None).as_bytes()).await;
        wire.reply().await.status == 200
    };
    cardoon_testkit::eventually("a place", crate::world::DEADLINE, is_let_in).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_is_too_large_is_refused_while_it_comes() {
    let world = World::with(GatewayOptions { body_limit: 1000, ..GatewayOptions::default() }).await;
    let said = request("POST", "/api/v1/tasks", &[("Expect", "100-continue")], Some(""))
        .replace("Length: 0", "Length: 1001");
    let mut wire = world.wire().await;
    wire.write(said).await;
    let reply = wire.reply().await;
    assert_eq!((reply.status, reply.code()), (413, "CD2002".to_owned()), "{reply:?}");
    let mut wire = world.wire().await;
    let head = "POST /api/v1/tasks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
    wire.write(format!("{head}Transfer-Encoding: chunked\r\n\r\n")).await;
    let chunk = format!("64\r\n{}\r\n", " ".repeat(100));
    for _ in 0..20 {
        wire.write_until_refused(chunk.as_bytes()).await;
    }
    let reply = wire.reply().await;
    assert_eq!((reply.status, reply.code()), (413, "CD2002".to_owned()), "{reply:?}");
    assert_eq!(world.look("/api/v1/tasks").await["items"], json!([]));
}

#[tokio::test]
async fn what_is_no_http_is_hung_up_on() {
    let world = World::new().await;
    for nonsense in ["\0\0\0\0\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n"] {
        let mut wire = world.wire().await;
        wire.write_until_refused(nonsense.as_bytes()).await;
        wire.is_hung_up().await;
    }
    let mut wire = world.wire().await;
    let large = format!("GET /livez HTTP/1.1\r\nHost: localhost\r\nX: {}\r\n\r\n", "x".repeat(200 << 10));
    wire.write_until_refused(large.as_bytes()).await;
    wire.is_hung_up().await;
    assert_eq!(world.get("/livez").await.status, 200);
}
