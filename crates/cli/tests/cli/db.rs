use serde_json::json;

use crate::support::{Home, eventually};

#[test]
fn a_sound_database_is_said_to_be_sound() {
    let home = Home::new();
    home.send(&["cardoon.noop"]);
    let report = home.json(&["db", "check"]);
    assert_eq!(
        (&report["sound"], &report["ready"], &report["findings"]),
        (&json!(true), &json!(1), &json!([]))
    );
    let shown = home.run(&["db", "check", "--full"]);
    assert_eq!(shown.status, 0, "{}", shown.stderr);
    assert!(shown.stdout.contains("\nverdict    sound\n"), "{}", shown.stdout);
    let chinese = home.run(&["db", "check", "--lang", "zh"]);
    assert!(chinese.stdout.contains("\n结论       完好\n"), "{}", chinese.stdout);
}

#[test]
fn a_copy_is_made_beside_a_worker_and_works() {
    let home = Home::new();
    let worker = home.worker(&["-c", "1"]);
    let running = home.send(&["cardoon.sleep", "--args", "[600]"]);
    eventually(
        || home.json(&["task", "list", "--state", "started"]),
        |list| list[0]["id"] == running.as_str(),
    );
    let waiting = home.send(&["cardoon.echo", "--args", "[7]", "--queue", "later"]);
    let copied = home.json(&["db", "backup", "copy.db"]);
    assert_eq!((&copied["ready"], &copied["put_back"]), (&json!(2), &json!(1)));
    let again = home.run(&["db", "backup", "copy.db"]);
    assert_eq!(again.status, 2);
    assert!(again.stderr.starts_with("error[CD4006]: this would replace "), "{}", again.stderr);
    assert_eq!(home.run(&["db", "backup", "copy.db", "--yes"]).status, 0);
    drop(worker);
    let restored = home.worker(&["-Q", "later", "--broker", "sqlite:copy.db"]);
    restored.says("database");
    let ended = home.run(&["task", "wait", &waiting, "--timeout", "30s", "--broker", "sqlite:copy.db"]);
    assert_eq!(ended.stdout.trim(), "7", "{}", ended.stderr);
}

#[test]
fn space_is_given_back_and_counted() {
    let home = Home::new();
    home.send(&["cardoon.noop"]);
    for option in ["--wal", "--quiet", "--full"] {
        let report = home.json(&["db", "vacuum", option]);
        assert_eq!(report["after"]["log"], 0, "{report}");
    }
}

#[test]
fn only_a_database_that_is_there_is_looked_after() {
    let home = Home::new();
    for line in [&["db", "check"][..], &["db", "backup", "copy.db"], &["db", "vacuum"]] {
        assert_eq!(home.run(line).status, 4, "{line:?}");
        let ended = home.run(&[line, &["--broker", "redis://:s3cret@127.0.0.1:1/0"]].concat());
        assert_eq!(ended.status, 2, "{line:?}");
        assert!(
            ended.stderr.starts_with("error[CD1007]: a Redis server looks after its data itself"),
            "{}",
            ended.stderr
        );
        assert!(!ended.stderr.contains("s3cret"), "{}", ended.stderr);
    }
    assert_eq!(std::fs::read_dir(home.folder.path()).unwrap().count(), 0);
}
