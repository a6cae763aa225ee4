use crate::support::{Home, eventually};

#[test]
fn workers_are_listed_with_what_they_do() {
    let home = Home::new();
    let _worker = home.worker(&["-n", "one", "-c", "3", "-Q", "mail,low"]);
    let listed =
        eventually(|| home.run(&["workers", "list", "-o", "json"]), |ended| ended.stdout.contains("one"));
    let workers: serde_json::Value = serde_json::from_str(&listed.stdout).unwrap();
    assert_eq!(workers[0]["slots"], 3);
    assert_eq!(workers[0]["queues"], serde_json::json!(["mail", "low"]));
    assert!(workers[0]["tasks"].as_array().unwrap().iter().any(|task| task == "cardoon.add"));
    assert!(workers[0]["heartbeat_age_ms"].as_u64().unwrap() < 15_000);
    assert!(home.run(&["workers", "list"]).stdout.contains("one"));
}

#[test]
fn a_worker_that_is_told_to_drain_finishes_and_ends() {
    let home = Home::new();
    let id = home.send(&["cardoon.sleep", "--args", "[1]"]);
    let (one, two) = (home.worker(&["-n", "one"]), home.worker(&["-n", "two"]));
    eventually(|| home.json(&["workers", "list"]), |workers| workers.as_array().unwrap().len() == 2);
    eventually(|| home.json(&["task", "get", &id]), |task| task["state"] == "STARTED");
    let told = home.json(&["workers", "drain", "--all"]);
    assert_eq!(told.as_array().map(Vec::len), Some(2));
    assert_eq!((one.status(), two.status()), (0, 0));
    assert_eq!(home.json(&["task", "get", &id])["state"], "SUCCESS", "what ran was finished");
}

#[test]
fn only_the_named_worker_is_told() {
    let home = Home::new();
    home.send(&["cardoon.noop"]);
    let (one, _two) = (home.worker(&["-n", "one"]), home.worker(&["-n", "two"]));
    eventually(|| home.json(&["workers", "list"]), |workers| workers.as_array().unwrap().len() == 2);
    home.json(&["workers", "stop", "one"]);
    assert_eq!(one.status(), 0);
    let left = home.json(&["workers", "list"]);
    assert_eq!((left[0]["worker"].as_str(), left.as_array().map(Vec::len)), (Some("two"), Some(1)));
}

#[test]
fn a_name_that_nobody_has_is_an_error_that_lists_those_who_are_there() {
    let home = Home::new();
    home.send(&["cardoon.noop"]);
    let ended = home.run(&["workers", "drain", "nobody"]);
    assert_eq!(ended.status, 4);
    assert!(ended.stderr.contains("error[CD3015]: no worker nobody is alive"), "{}", ended.stderr);
    assert!(ended.stderr.contains("alive: none"), "{}", ended.stderr);
}

#[test]
fn a_paused_queue_keeps_its_tasks_until_it_is_resumed() {
    let home = Home::new();
    let id = home.send(&["cardoon.add", "--args", "[2, 3]", "-Q", "mail"]);
    assert_eq!(home.json(&["queue", "pause", "mail"])["changed"], true);
    assert_eq!(home.json(&["queue", "pause", "mail"])["changed"], false);
    let _worker = home.worker(&["-Q", "mail,other"]);
    home.json(&["send", "cardoon.noop", "-Q", "other", "--wait"]);
    let queues = home.json(&["queue", "list"]);
    let mail = queues.as_array().unwrap().iter().find(|queue| queue["queue"] == "mail").unwrap();
    assert_eq!((&mail["ready"], &mail["paused"]), (&serde_json::json!(1), &serde_json::json!(true)));
    assert!(home.run(&["queue", "list"]).stdout.contains("paused"));
    assert_eq!(home.json(&["task", "why", &id])["reason"], "queue-paused");
    assert_eq!(home.json(&["queue", "resume", "mail"])["changed"], true);
    assert_eq!(home.json(&["task", "wait", &id])["result"], 5);
}
