use std::collections::HashSet;

use cardoon_testkit::eventually;
use serde_json::{Value, json};

use crate::client::{Wire, request};
use crate::world::{DEADLINE, World};

/// A reader of events.
struct Stream(Wire);

impl Stream {
    /// Connects and waits until events are heard; answers what is said first too.
    async fn open(world: &World, path: &str, headers: &[(&str, &str)]) -> (Self, String) {
        let mut wire = world.wire().await;
        wire.write(request("GET", path, headers, None)).await;
        let head = wire.read_until("\r\n\r\n").await;
        assert!(head.contains(" 200 ") && head.contains("text/event-stream"), "{head}");
        let first = wire.read_until("\n\n").await;
        (Self(wire), first)
    }

    /// The next event: its id, its kind and its data. What is between events is skipped.
    async fn next(&mut self) -> (String, String, Value) {
        loop {
            let block = self.0.read_until("\n\n").await;
            let field = |name: &str| {
                let line = block.lines().find_map(|line| line.strip_prefix(name));
                line.unwrap_or_default().to_owned()
            };
            if !field("data: ").is_empty() {
                return (field("id: "), field("event: "), serde_json::from_str(&field("data: ")).unwrap());
            }
        }
    }

    /// The next event of a kind.
    async fn next_of(&mut self, kind: &str) -> (String, Value) {
        loop {
            let (id, of_kind, data) = self.next().await;
            if of_kind == kind {
                return (id, data);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_hears_what_happens_to_a_task() {
    let world = World::new().await.work();
    let (mut stream, first) = Stream::open(&world, "/api/v1/events", &[]).await;
    assert!(first.contains(": listening"), "{first}");
    let id = world.send("cardoon.add", json!([2, 3])).await;
    // The sender and the worker tell of it each by itself, so that the end may be heard first.
    let mut missing = HashSet::from(["task-sent", "task-succeeded"]);
    while !missing.is_empty() {
        let (_, kind, event) = stream.next().await;
        if missing.remove(kind.as_str()) {
            assert_eq!(event["uuid"], id.as_str());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_comes_back_misses_nothing() {
    let world = World::new().await;
    let (mut stream, _) = Stream::open(&world, "/api/v1/events?kind=task-sent", &[]).await;
    world.send("first", json!([])).await;
    let (last, _) = stream.next_of("task-sent").await;
    drop(stream);
    world.send("second", json!([])).await;
    let (mut stream, first) = Stream::open(&world, "/api/v1/events", &[("Last-Event-ID", &last)]).await;
    assert!(first.contains(": listening"), "{first}");
    assert_eq!(stream.next_of("task-sent").await.1["name"], "second");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_was_away_too_long_is_told_of_the_gap() {
    let world = World::new().await;
    let (_stream, first) = Stream::open(&world, "/api/v1/events?after=1-7", &[]).await;
    assert!(first.contains("event: gap") && first.contains("{\"missed\":null}"), "{first}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_hears_of_what_it_asked_for_alone() {
    let world = World::new().await;
    let (mut stream, _) = Stream::open(&world, "/api/v1/events?task=wanted", &[]).await;
    world.send("unwanted", json!([])).await;
    world.send("wanted", json!([])).await;
    assert_eq!(stream.next().await.2["name"], "wanted");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_never_reads_loses_events_and_hinders_nobody() {
    let world = World::new().await;
    let (mut lazy, _) = Stream::open(&world, "/api/v1/events", &[]).await;
    let (mut quick, _) = Stream::open(&world, "/api/v1/events?task=last", &[]).await;
    let broker = &world.app.stores().broker;
    let filler = "x".repeat(4000);
    let event = |task: &str| {
        let base = cardoon_core::Event::of_worker(
            cardoon_core::EventKind::TaskSent,
            "w".into(),
            cardoon_core::Timestamp(0),
        );
        cardoon_core::Event { task: Some(task.into()), detail: Some(filler.clone()), ..base }
    };
    let clock = cardoon_runtime::Clock::real();
    for _ in 0..100 {
        broker.emit((0..100).map(|_| event("many")).collect());
        clock.sleep(std::time::Duration::from_millis(1)).await;
    }
    broker.emit(vec![event("last")]);
    assert_eq!(quick.next_of("task-sent").await.1["name"], "last");
    let (_, gap) = lazy.next_of("gap").await;
    assert!(gap["missed"].as_u64().unwrap() > 0, "{gap}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_end_with_the_gateway() {
    let world = World::new().await;
    let (mut stream, _) = Stream::open(&world, "/api/v1/events", &[]).await;
    world.services.stop();
    stream.0.is_hung_up().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_listened_to_while_nobody_reads() {
    let world = World::new().await;
    assert!(!world.app.stores().broker.has_listeners());
    let (_stream, _) = Stream::open(&world, "/api/v1/events", &[]).await;
    eventually("it listens", DEADLINE, async || world.app.stores().broker.has_listeners()).await;
}
