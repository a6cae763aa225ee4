use serde_json::Value;

use crate::support::{Home, Running, finish};

/// The object that a line is; every line must be one.
fn object(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

#[test]
fn as_json_each_line_is_an_object_that_names_the_task() {
    let home = Home::new();
    let mut command = home.command(&["worker", "--builtin", "--log-format", "json", "-n", "w1"]);
    command.env("CARDOON_RETRY__MAX", "0");
    let worker = Running::start(command);
    assert_eq!(object(&worker.says("database"))["target"], "talk");
    let id = home.send(&["cardoon.fail", "--args", r#"["no \u001b[31m"]"#]);
    let line = worker.says("task failed");
    let failed = object(&line);
    let timestamp = failed["timestamp"].as_str().unwrap();
    assert!(timestamp.ends_with('Z') && timestamp.len() == "2026-01-01T00:00:00.000Z".len(), "{timestamp}");
    assert_eq!((&failed["level"], &failed["message"]), (&"WARN".into(), &"task failed".into()));
    assert_eq!(failed["target"], "cardoon_worker::report");
    assert_eq!((&failed["task.id"], &failed["task.name"]), (&id.into(), &"cardoon.fail".into()));
    assert_eq!((&failed["queue"], &failed["attempt"]), (&"celery".into(), &0.into()));
    assert_eq!(failed["worker"], "w1");
    assert!(failed["failure"].as_str().unwrap().contains('\u{1b}') && !line.contains('\u{1b}'), "{line}");
    worker.signal("TERM");
    object(&worker.says("draining"));
    assert_eq!(worker.status(), 0);
}

#[test]
fn for_people_nothing_that_a_terminal_obeys_comes_through() {
    let home = Home::new();
    let mut command = home.command(&["worker", "--builtin"]);
    command.env("CARDOON_RETRY__MAX", "0");
    let worker = Running::start(command);
    worker.says("database");
    home.send(&["cardoon.fail", "--args", r#"["\u001b[2J\r\n\u009b31m\u202e"]"#]);
    let line = worker.says("task failed");
    assert!(!line.contains(|c: char| c.is_control() || c == '\u{202e}'), "{line:?}");
}

#[test]
fn an_error_is_a_line_too_where_programs_read_the_log() {
    let home = Home::new();
    let mut command = home.command(&["task", "get", "no-such-id"]);
    command.env("CARDOON_LOG__FORMAT", "json");
    let ended = finish(command);
    let lines: Vec<_> = ended.stderr.lines().map(object).collect();
    let last = lines.last().unwrap();
    assert_eq!((&last["level"], &last["code"]), (&"ERROR".into(), &"CD1112".into()), "{}", ended.stderr);
    assert!(last["hint"].as_str().unwrap().contains("cardoon"));
}

#[test]
fn form_and_level_are_settings_and_options_go_before_them() {
    let home = Home::new();
    std::fs::write(
        home.folder.path().join("cardoon.toml"),
        "[log]\nlevel = \"WARNING\"\nformat = \"json\"\n",
    )
    .unwrap();
    let shown = |words: &[&str]| {
        let entries = home.json(&[&["settings", "show"], words].concat());
        let of =
            |name: &str| entries.as_array().unwrap().iter().find(|it| it["setting"] == name).unwrap().clone();
        ["log.level", "log.format"].map(|name| {
            let entry = of(name);
            let origin = entry["origin"].as_str().unwrap().split(' ').next().unwrap().to_owned();
            (entry["value"].as_str().unwrap().to_owned(), origin)
        })
    };
    let pair = |value: &str, origin: &str| (value.to_owned(), origin.to_owned());
    assert_eq!(shown(&[]), [pair("warn", "file"), pair("json", "file")]);
    assert_eq!(shown(&["-q", "--log-format", "pretty"]), [pair("error", "flag"), pair("pretty", "flag")]);
    assert_eq!(shown(&["-vv"])[0], pair("trace", "flag"));
}
