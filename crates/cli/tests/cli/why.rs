use serde_json::Value;

use crate::support::{Home, eventually};

fn why(home: &Home, id: &str) -> Value {
    let ended = home.run(&["task", "why", id, "-o", "json"]);
    assert!(matches!(ended.status, 0 | 4), "{}", ended.stderr);
    serde_json::from_str(&ended.stdout).unwrap()
}

#[test]
fn it_says_that_nobody_takes_from_the_queue() {
    let home = Home::new();
    let id = home.send(&["cardoon.noop", "-Q", "mail"]);
    assert_eq!(why(&home, &id)["reason"], "queue-has-no-worker");
    let said = home.run(&["task", "why", &id]);
    assert_eq!(said.stdout, "No live worker takes from the queue mail.\n");
    let said = home.run(&["task", "why", &id, "--lang", "zh"]);
    assert_eq!(said.stdout, "没有在线的 worker 处理队列 mail。\n");
}

#[test]
fn it_says_for_how_long_a_task_waits() {
    let home = Home::new();
    let id = home.send(&["cardoon.noop", "--in", "1h"]);
    let answer = why(&home, &id);
    assert_eq!(answer["reason"], "waits-for-time");
    assert!(answer["wait_ms"].as_u64().unwrap() <= 3_600_000, "{answer}");
}

#[test]
fn it_says_that_all_slots_are_busy_and_how_many_are_before_it() {
    let home = Home::new();
    let _worker = home.worker(&["-c", "1"]);
    let running = home.send(&["cardoon.sleep", "--args", "[60]"]);
    let answer = eventually(|| why(&home, &running), |answer| answer["reason"] == "running");
    assert!(answer["worker"].as_str().is_some(), "{answer}");
    let waiting = home.send(&["cardoon.noop"]);
    eventually(
        || why(&home, &waiting),
        |answer| answer["reason"] == "slots-busy" || answer["reason"] == "held",
    );
}

#[test]
fn it_says_that_no_worker_knows_the_task() {
    let home = Home::new();
    let worker = home.worker(&[]);
    let id = home.send(&["shop.bill"]);
    let reason = eventually(
        || why(&home, &id),
        |answer| answer["reason"] == "no-worker-knows-it" || answer["dead_reason"] == "unknown-task",
    );
    assert!(reason["sentence"].as_str().unwrap().contains("shop.bill"), "{reason}");
    drop(worker);
}

#[test]
fn it_says_how_a_task_ended() {
    let home = Home::new();
    let _worker = home.worker(&[]);
    let id = home.send(&["cardoon.noop"]);
    assert_eq!(home.run(&["task", "wait", &id, "--timeout", "30s"]).status, 0);
    assert_eq!(why(&home, &id)["reason"], "succeeded");
    let id = home.send(&["cardoon.noop", "--in", "1h"]);
    home.json(&["task", "revoke", &id]);
    assert_eq!(why(&home, &id)["reason"], "revoked");
}

#[test]
fn it_says_that_an_id_is_unknown() {
    let home = Home::new();
    home.send(&["cardoon.noop"]);
    assert_eq!(why(&home, "never-sent")["reason"], "unknown");
    let said = home.run(&["task", "why", "never-sent"]);
    assert_eq!(said.status, 4);
    assert!(said.stderr.starts_with("error[CD3004]"), "{}", said.stderr);
}
