//! Verifications that are interrupted or killed.

use std::path::Path;
use std::process::Command;

use rusqlite::Connection;
use serde_json::Value;

use crate::support::{Home, Running, eventually};
use crate::verify::{DATABASE, fill, is_binding, keys, rows, server, verified};

const BUILT_IN: &[&str] = &["verify", "faults", "--kills", "1000", "--broker", DATABASE];
const OWN: &[&str] = &[
    "verify",
    "faults",
    "--task",
    "cardoon.sleep",
    "--args",
    "[1]",
    "--kills",
    "1000",
    "--broker",
    DATABASE,
];

/// The verification, with its temporary files in the home. A hang-up ends it, also where the tests themselves ignore one.
fn started(home: &Home, line: &[&str]) -> Running {
    let words = [&["--default-signal=HUP", env!("CARGO_BIN_EXE_cardoon")], line].concat();
    let mut command = home.program("env", &words);
    command.env("TMPDIR", home.folder.path());
    Running::start(command)
}

fn queues(home: &Home) -> Value {
    home.json(&["queue", "list", "--broker", DATABASE])
}

fn of_verification(queues: &Value) -> Option<&Value> {
    queues.as_array().unwrap().iter().find(|it| it["queue"].as_str().unwrap().starts_with("cardoon-verify"))
}

/// Waits until workers of a verification execute something.
fn until_working(home: &Home) {
    eventually(|| queues(home), |queues| of_verification(queues).is_some_and(|queue| queue["held"] != 0));
}

fn temporary_folders(home: &Home) -> usize {
    let names = std::fs::read_dir(home.folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
    names.filter(|name| name.to_string_lossy().starts_with("cardoon-verify-")).count()
}

#[test]
fn an_interrupted_verification_leaves_nothing() {
    for (signal, status) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
        let home = Home::new();
        fill(&home, DATABASE);
        let before = rows(&home);
        let running = started(&home, BUILT_IN);
        until_working(&home);
        running.signal(signal);
        assert_eq!(running.status(), status, "{signal}");
        assert_eq!(before, rows(&home));
        assert_eq!(temporary_folders(&home), 0);
    }
}

#[test]
fn what_a_killed_verification_has_left_is_removed_by_the_next_one() {
    for line in [BUILT_IN, OWN] {
        let home = Home::new();
        fill(&home, DATABASE);
        let before = rows(&home);
        let running = started(&home, line);
        until_working(&home);
        running.signal("KILL");
        running.status();
        // Its workers notice that nobody waits for them.
        eventually(|| queues(&home), |queues| of_verification(queues).is_none_or(|it| it["workers"] == 0));
        assert_eq!(temporary_folders(&home), 1);
        // It has said that it is there for a minute.
        let database = Connection::open(home.folder.path().join("tasks.db")).unwrap();
        database.execute("DELETE FROM entry", []).unwrap();
        drop(database);
        let next = started(&home, &["verify", "consistency", "--quick", "--broker", DATABASE]);
        assert_eq!(next.status(), 0);
        assert_eq!(before, rows(&home));
        assert_eq!(temporary_folders(&home), 0);
    }
}

/// The letter that the system has for the state of a process; `None` if there is none.
fn state(pid: &str) -> Option<String> {
    let status = std::fs::read_to_string(Path::new("/proc").join(pid).join("status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("State:\t")).map(|state| state[..1].to_owned())
}

/// Each thread of a process has children of its own.
fn children(pid: u32) -> Vec<String> {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    let of = |thread: std::io::Result<std::fs::DirEntry>| {
        std::fs::read_to_string(thread.unwrap().path().join("children")).unwrap_or_default()
    };
    threads.map(of).collect::<String>().split_whitespace().map(str::to_owned).collect()
}

#[test]
fn no_worker_stays_stopped_when_its_verification_is_killed() {
    let home = Home::new();
    let running = started(&home, &["verify", "faults", "--kills", "0", "--broker", DATABASE]);
    let stopped = || children(running.pid()).into_iter().find(|pid| state(pid).as_deref() == Some("T"));
    let worker = eventually(stopped, Option::is_some).unwrap();
    running.signal("KILL");
    running.status();
    eventually(|| state(&worker), |state| state.as_deref() != Some("T"));
}

#[test]
fn what_was_measured_before_a_failure_is_shown() {
    let home = Home::new();
    let running = started(&home, &["verify", "--quick", "--tasks", "8", "--broker", DATABASE, "-o", "json"]);
    running.says("killing, pausing");
    let pid = running.pid();
    let end_children = || {
        for child in children(pid) {
            Command::new("kill").args(["-s", "KILL", &child]).status().unwrap();
        }
        state(&pid.to_string())
    };
    eventually(end_children, |state| state.as_deref() == Some("Z"));
    let report: Value = serde_json::from_str(&running.stdout_lines.iter().collect::<String>()).unwrap();
    assert!(report["efficiency"]["work"]["runs"].is_array() && report["faults"].is_null(), "{report}");
    assert!(report["broken_off"].is_string() && report["passed"] == false, "{report}");
    assert_eq!(running.status(), 1);
}

#[test]
fn celery_is_measured_beside_and_leaves_no_key_also_of_one_that_was_killed() {
    let home = Home::new();
    let (runtime, server) = server();
    let url = server.url();
    let requirements =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/interop/python/requirements/celery-5.6.txt");
    let python = cardoon_testkit::environment(&requirements).unwrap().join("bin/python");
    let python = python.to_str().unwrap();
    let line = [
        "verify",
        "consistency",
        "--tasks",
        "800",
        "--against",
        "celery",
        "--broker",
        &url,
        "--python",
        python,
    ];
    let of_celery = || keys(&runtime, &server).into_keys().filter(|key| key.contains(":celery:"));
    let killed = started(&home, &line);
    eventually(|| of_celery().count(), |count| *count > 0);
    killed.signal("KILL");
    killed.status();
    // The one that asks is the last one.
    let clients = || runtime.block_on(server.command(&["CLIENT", "LIST"])).unwrap();
    eventually(clients, |clients| clients.lines().count() == 1);
    assert!(of_celery().count() > 0);
    for key in keys(&runtime, &server).into_keys().filter(|key| key.contains("entry:cardoon-verify-")) {
        runtime.block_on(server.command(&["DEL", &key])).unwrap();
    }
    let line = ["consistency", "--tasks", "8", "--against", "celery", "--broker", &url, "--python"];
    let report = verified(&home, &[&line[..], &[python]].concat());
    let celery = &report["celery"];
    assert!(celery["celery"].as_str().unwrap().starts_with("5.6"), "{report}");
    assert_eq!(celery["work"]["runs"].as_array().unwrap().len(), 3, "{report}");
    let kill = &celery["kill"];
    let count = |name: &str| kill[name].as_u64().unwrap();
    assert!(count("running") > 0 && count("lost") > 0, "{report}");
    assert_eq!(count("executed") + count("lost") + count("held_back"), count("sent"), "{report}");
    let left: Vec<_> = keys(&runtime, &server)
        .into_keys()
        .filter(|key| !key.starts_with("cardoon:") && !is_binding(key))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}
