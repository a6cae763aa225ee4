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
fn a_task_that_has_ended_is_not_called_unknown_when_it_is_revoked() {
    let home = Home::new();
    let _worker = home.worker(&[]);
    let id = home.send(&["cardoon.add", "--args", "[2, 3]"]);
    assert_eq!(home.run(&["task", "wait", &id, "--timeout", "30s"]).status, 0);
    let answer = home.run(&["task", "revoke", &id, "-o", "json"]);
    assert!(answer.stdout.contains("\"revoked\":\"over\""), "{}", answer.stdout);
    assert_eq!(answer.stderr, "");
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

#[test]
fn retry_sends_a_task_that_failed_again_also_if_its_error_is_not_tried_again() {
    let home = Home::new();
    let _worker = home.worker(&[]);
    let id = home.send(&["cardoon.add", "--args", "[9223372036854775807, 1]"]);
    assert_eq!(home.run(&["task", "wait", &id, "--timeout", "30s"]).status, 1);
    assert_eq!(home.json(&["dead", "show", &id])["reason"], "failed");
    assert_eq!(home.json(&["task", "retry", &id])["id"], id.as_str());
    let runs = |known: &serde_json::Value| known["history"].as_array().unwrap().len() >= 2;
    eventually(|| home.json(&["task", "get", &id]), runs);
}

#[test]
fn retry_works_with_results_in_a_store_of_their_own() {
    let home = Home::new();
    let apart = ["--broker", "sqlite:a.db", "--results", "sqlite:b.db"];
    let line = |words: &[&'static str]| [words, &apart[..]].concat();
    let worker = home.worker(&apart);
    home.send(&line(&["cardoon.add", "--id", "a-1", "--args", "[9223372036854775807, 1]"]));
    assert_eq!(home.run(&line(&["task", "wait", "a-1", "--timeout", "30s"])).status, 1);
    eventually(|| home.json(&line(&["dead", "list"])), |dead| dead[0]["id"] == "a-1");
    worker.signal("TERM");
    assert_eq!(worker.status(), 0);
    assert_eq!(home.json(&line(&["task", "retry", "a-1"]))["id"], "a-1");
    let _worker = home.worker(&apart);
    let runs = |known: &serde_json::Value| known["history"].as_array().unwrap().len() >= 2;
    eventually(|| home.json(&line(&["task", "get", "a-1"])), runs);
}

#[test]
fn retry_of_a_task_that_did_not_fail_says_why_not_and_what_to_do() {
    let home = Home::new();
    let _worker = home.worker(&[]);
    let id = home.send(&["cardoon.add", "--args", "[2, 3]"]);
    assert_eq!(home.run(&["task", "wait", &id, "--timeout", "30s"]).status, 0);
    let revoked = home.send(&["cardoon.noop", "--in", "1h"]);
    home.json(&["task", "revoke", &revoked]);
    assert_eq!(home.run(&["task", "wait", &revoked, "--timeout", "30s"]).status, 1);
    for (id, state) in [(id, "SUCCESS"), (revoked, "REVOKED")] {
        let ended = home.run(&["task", "retry", &id]);
        assert_eq!(ended.status, 2);
        assert!(ended.stderr.starts_with("error[CD3011]"), "{}", ended.stderr);
        assert!(ended.stderr.contains(&format!("state: {state}")), "{}", ended.stderr);
        assert!(ended.stderr.contains("hint: send the task anew: cardoon send cardoon."), "{}", ended.stderr);
    }
}
