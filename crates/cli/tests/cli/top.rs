use serde_json::{Value, json};

use crate::support::{Home, eventually};

#[test]
fn without_a_terminal_it_shows_once_what_is_there() {
    let home = Home::new();
    let _worker = home.worker(&["-c", "2", "-n", "w1", "-Q", "mail"]);
    // Queues and workers are asked for one after the other, and the worker may join in between.
    let view = eventually(
        || serde_json::from_str(&home.run(&["top", "-o", "json"]).stdout).unwrap_or(Value::Null),
        |view: &Value| view["workers"][0]["worker"] == "w1" && view["queues"][0]["workers"] == 1,
    );
    let (worker, queue) = (&view["workers"][0], &view["queues"][0]);
    assert_eq!(
        (&worker["slots"], &worker["busy"], &worker["queues"]),
        (&json!(2), &json!(0), &json!(["mail"]))
    );
    assert_eq!((&queue["queue"], &queue["workers"]), (&json!("mail"), &json!(1)));
    let table = home.run(&["top", "--every", "5s", "--lang", "zh"]);
    assert_eq!(table.status, 0, "{}", table.stderr);
    assert!(table.stdout.starts_with("队列") && table.stdout.contains("\nworker "), "{}", table.stdout);
}

#[test]
fn a_probe_says_whether_a_worker_lives() {
    let home = Home::new();
    assert_eq!(home.run(&["health"]).status, 4, "there is no database");
    let worker = home.worker(&["-n", "w1", "-Q", "mail"]);
    let healthy = |line: &[&str]| home.run(&[&["health"], line].concat());
    let seen = eventually(|| healthy(&["--worker", "w1", "--queue", "mail"]), |ended| ended.status == 0);
    assert_eq!(seen.stdout, "w1\n");
    for line in [&["--worker", "w2"][..], &["--queue", "low"]] {
        let ended = healthy(line);
        assert_eq!((ended.status, ended.stdout.as_str()), (1, ""), "{line:?}");
        assert!(ended.stderr.starts_with("error[CD3019]: no such worker lives\n"), "{}", ended.stderr);
    }
    worker.signal("TERM");
    assert_eq!(worker.status(), 0);
    assert_eq!(healthy(&[]).status, 1);
}
