use crate::support::{Home, Running};

#[test]
fn events_are_followed_as_they_happen() {
    let home = Home::new();
    let worker = home.worker(&["-E"]);
    worker.says("database");
    let watching = Running::start(home.command(&["events", "-o", "jsonl"]));
    watching.says("following");
    let id = home.send(&["cardoon.noop"]);
    let line = watching.prints("task-succeeded");
    let event: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(event["uuid"], id.as_str());
    watching.signal("INT");
    assert_eq!(watching.status(), 130);
}

#[test]
fn following_ends_after_its_time() {
    let ended = Home::new().run(&["events", "--for", "50ms", "-q"]);
    assert_eq!((ended.status, ended.stdout.as_str(), ended.stderr.as_str()), (0, "", ""));
}
