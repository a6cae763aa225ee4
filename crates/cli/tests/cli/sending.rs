use serde_json::json;

use crate::support::Home;

#[test]
fn send_prints_the_id_and_nothing_else() {
    let home = Home::new();
    let ended = home.run(&["send", "cardoon.add", "--args", "[2, 3]", "--id", "a-1"]);
    assert_eq!((ended.status, ended.stdout.as_str()), (0, "a-1\n"), "{}", ended.stderr);
    assert_eq!(home.json(&["send", "cardoon.noop", "--id", "a-2"]), json!({ "id": "a-2" }));
}

#[test]
fn a_sent_task_can_be_waited_for() {
    let home = Home::new();
    let _worker = home.worker(&[]);
    let ended = home.run(&["send", "cardoon.add", "--args", "[2, 3]", "--wait", "--timeout", "30s"]);
    assert_eq!((ended.status, ended.stdout.as_str()), (0, "5\n"), "{}", ended.stderr);
    let named = home.run(&["send", "cardoon.echo", "--kwargs", "{\"value\": {\"a\": [1]}}", "--wait", "-q"]);
    assert_eq!((named.status, named.stdout.as_str(), named.stderr.as_str()), (0, "{\"a\":[1]}\n", ""));
}

#[test]
fn a_failure_is_told_with_its_kind_and_message() {
    let home = Home::new();
    let _worker = home.worker(&[]);
    let line = ["send", "cardoon.add", "--args", "[9223372036854775807, 1]", "--wait", "--timeout", "30s"];
    let ended = home.run(&line);
    assert_eq!(ended.status, 1);
    assert!(ended.stderr.contains("error[CD3001]: cardoon.add failed: Overflow"), "{}", ended.stderr);
    let json = home.run(&[&line[..], &["-o", "json"]].concat());
    assert_eq!(json.status, 1);
    let outcome: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(outcome["state"], "FAILURE");
    assert_eq!(outcome["failure"]["kind"], "Overflow");
}

#[test]
fn a_task_for_later_waits_in_the_store() {
    let home = Home::new();
    home.send(&["cardoon.noop", "--in", "1h"]);
    home.send(&["cardoon.noop", "--at", "2100-01-01T00:00:00Z"]);
    assert_eq!(home.json(&["queue", "list"])[0]["delayed"], 2);
    assert_eq!(home.run(&["send", "t", "--in", "1h", "--at", "2100-01-01T00:00:00Z"]).status, 2);
    assert_eq!(home.run(&["send", "t", "--at", "tomorrow"]).status, 2);
    assert_eq!(home.run(&["send", "t", "--in", "5"]).status, 2);
}

#[test]
fn the_same_id_is_stored_once() {
    let home = Home::new();
    home.send(&["cardoon.noop", "--id", "once"]);
    let again = home.run(&["send", "cardoon.noop", "--id", "once"]);
    assert_eq!(again.status, 0);
    assert!(again.stderr.contains("sent before"), "{}", again.stderr);
    assert_eq!(home.json(&["queue", "list"])[0]["ready"], 1);
}

#[test]
fn a_message_over_the_limit_of_the_settings_is_refused_and_nothing_is_stored() {
    let home = Home::new();
    std::fs::write(home.folder.path().join("cardoon.toml"), "[limits]\nmessage_size = \"1KiB\"\n").unwrap();
    let large = format!("[\"{}\"]", "x".repeat(1024));
    let ended = home.run(&["send", "cardoon.echo", "--args", &large]);
    assert_eq!((ended.status, ended.stdout.as_str()), (2, ""));
    assert!(ended.stderr.starts_with("error[CD2002]: the message for cardoon.echo has "), "{}", ended.stderr);
    assert!(!home.folder.path().join(".cardoon/cardoon.db").exists());
    let mut command = home.command(&["send", "cardoon.echo", "--args", &large]);
    command.env("CARDOON_LIMITS__MESSAGE_SIZE", "8KiB");
    assert_eq!(crate::support::finish(command).status, 0);
}
