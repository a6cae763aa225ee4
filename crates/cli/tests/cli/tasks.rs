use crate::support::{Home, eventually};

#[test]
fn wait_tells_success_failure_time_and_ignorance_apart_by_status() {
    let home = Home::new();
    let waiting = home.send(&["cardoon.noop", "-Q", "nobody"]);
    let late = home.run(&["task", "wait", &waiting, "--timeout", "10ms"]);
    assert_eq!(late.status, 3);
    assert!(late.stderr.starts_with("error[CD3003]"), "{}", late.stderr);
    let unknown = home.run(&["task", "wait", "never-sent"]);
    assert_eq!(unknown.status, 4);
    assert!(unknown.stderr.starts_with("error[CD3004]"), "{}", unknown.stderr);

    let _worker = home.worker(&[]);
    let good = home.send(&["cardoon.add", "--args", "[2, 3]"]);
    let ended = home.run(&["task", "wait", &good, "--timeout", "30s"]);
    assert_eq!((ended.status, ended.stdout.as_str()), (0, "5\n"), "{}", ended.stderr);
    let bad = home.send(&["cardoon.sleep", "--args", "[\"long\"]"]);
    assert_eq!(home.run(&["task", "wait", &bad, "--timeout", "30s"]).status, 1);
}

#[test]
fn the_list_shows_waiting_and_ended_tasks_and_can_be_filtered() {
    let home = Home::new();
    let waiting = home.send(&["cardoon.noop", "-Q", "nobody"]);
    let _worker = home.worker(&[]);
    let done = home.send(&["cardoon.noop"]);
    assert_eq!(home.run(&["task", "wait", &done, "--timeout", "30s"]).status, 0);
    let list = home.json(&["task", "list"]);
    let states: Vec<_> = list.as_array().unwrap().iter().map(|it| (&it["id"], &it["state"])).collect();
    assert_eq!(states.len(), 2, "{list}");
    assert!(states.iter().any(|(id, state)| **id == waiting && **state == "PENDING"), "{list}");
    let done_only = home.json(&["task", "list", "--state", "success"]);
    assert_eq!(done_only.as_array().unwrap().len(), 1);
    assert_eq!(done_only[0]["id"], done);
    assert_eq!(home.json(&["task", "list", "--task", "other"]).as_array().unwrap().len(), 0);
}

#[test]
fn get_shows_what_is_known_with_nothing_that_a_terminal_obeys() {
    let home = Home::new();
    let id = home.send(&["cardoon.echo\u{1b}[2J", "--args", "[\"\u{9b}31m\u{202e}\"]"]);
    for form in ["table", "json"] {
        for line in [&["task", "get", &id][..], &["task", "list"], &["queue", "peek", "celery"]] {
            let ended = home.run(&[line, &["-o", form]].concat());
            assert_eq!(ended.status, 0, "{}", ended.stderr);
            let wild = ended.stdout.chars().find(|c| c.is_control() && *c != '\n' || *c == '\u{202e}');
            assert_eq!(wild, None, "{line:?}");
        }
    }
    assert_eq!(home.run(&["task", "get", "never-sent"]).status, 4);
}

#[test]
fn a_revoked_task_does_not_run() {
    let home = Home::new();
    let id = home.send(&["cardoon.noop", "--in", "1h"]);
    let answers = home.json(&["task", "revoke", &id, "never-sent"]);
    assert_eq!(answers[0]["revoked"], "waiting");
    assert_eq!(answers[1]["revoked"], "unknown");
    let ended = home.run(&["task", "wait", &id, "--timeout", "10s"]);
    assert_eq!(ended.status, 1);
    assert!(ended.stderr.starts_with("error[CD3002]"), "{}", ended.stderr);
}

#[test]
fn retry_sends_a_dead_task_again_under_its_id() {
    let home = Home::new();
    let worker = home.worker(&[]);
    let id = home.send(&["cardoon.add", "--args", "[\"two\", 3]"]);
    eventually(|| home.json(&["dead", "list"]), |dead| dead[0]["id"] == id.as_str());
    worker.signal("TERM");
    assert_eq!(worker.status(), 0);
    assert_eq!(home.json(&["task", "retry", &id])["id"], id.as_str());
    assert_eq!(home.json(&["queue", "list"])[0]["ready"], 1);
    let waiting = home.run(&["task", "retry", &id]);
    assert_eq!(waiting.status, 2);
    assert!(waiting.stderr.contains("has not ended"), "{}", waiting.stderr);
    assert_eq!(home.run(&["task", "retry", "never-sent"]).status, 4);
}
