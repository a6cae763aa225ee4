use std::collections::BTreeMap;

use cardoon_testkit::RedisServer;
use rusqlite::Connection;
use serde_json::Value;

use crate::support::{Home, eventually};

pub(crate) const DATABASE: &str = "sqlite:tasks.db";

/// A server that ends with its runtime's owner.
pub(crate) fn server() -> (tokio::runtime::Runtime, RedisServer) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(RedisServer::start()).unwrap();
    (runtime, server)
}

/// Work of somebody else that must stay as it is: tasks that wait, now and later, and one that has ended.
pub(crate) fn fill(home: &Home, broker: &str) {
    let worker = home.worker(&["--broker", broker]);
    home.send(&["cardoon.add", "--args", "[2, 3]", "--wait", "--broker", broker]);
    worker.signal("TERM");
    assert_eq!(worker.status(), 0);
    home.send(&["mail.send", "--queue", "mail", "--broker", broker]);
    home.send(&["mail.send", "--queue", "mail", "--at", "2100-01-01T00:00:00Z", "--broker", broker]);
}

/// All rows of the tables that hold somebody's work, as text. The run records of the verification's tasks, which the
/// store removes later, are not looked at.
pub(crate) fn rows(home: &Home) -> BTreeMap<&'static str, Vec<String>> {
    let database = Connection::open(home.folder.path().join("tasks.db")).unwrap();
    let of = |table: &'static str, what: &str| {
        let sql = format!("SELECT {what} ORDER BY 1");
        let mut rows = database.prepare(&sql).unwrap();
        let rows = rows.query_map([], |row| row.get::<_, String>(0)).unwrap();
        (table, rows.map(Result::unwrap).collect())
    };
    BTreeMap::from([
        of("message", "seq || id || hex(body) FROM message"),
        of("ready", "'' || seq || pos FROM ready"),
        of("delayed", "'' || seq || due FROM delayed"),
        of("held", "'' || seq FROM held"),
        of("dead", "'' || seq FROM dead"),
        // The number of the last record stays, without the record.
        of("record", "id || n || hex(value) FROM record WHERE id <> ''"),
        of(
            "task",
            "id || ifnull(seq, '') || ifnull(record, '') FROM task WHERE seq IS NOT NULL OR record IS NOT NULL",
        ),
        of("revoked", "id FROM revoked"),
        of("session", "'' || id FROM session"),
        of("entry", "key FROM entry"),
        of("paused", "'' || queue FROM paused"),
    ])
}

/// Each key and what it holds.
pub(crate) fn keys(runtime: &tokio::runtime::Runtime, server: &RedisServer) -> BTreeMap<String, String> {
    let ask = |words: &[&str]| runtime.block_on(server.command(words)).unwrap();
    let names = ask(&["KEYS", "*"]);
    names.lines().map(|name| (name.to_owned(), ask(&["DUMP", name]))).collect()
}

/// The store tells Celery's programs of each queue, and never takes that back.
pub(crate) fn is_binding(key: &str) -> bool {
    key.starts_with("_kombu.binding.cardoon-verify-")
}

pub(crate) fn verified(home: &Home, line: &[&str]) -> Value {
    home.json(&[&["verify", "--quick"], line].concat())
}

/// No queue of a verification has anything.
fn is_clean(home: &Home, broker: &str) {
    let queues = home.json(&["queue", "list", "--broker", broker]);
    assert!(!queues.to_string().contains("cardoon-verify"), "{queues}");
}

#[test]
fn several_slots_are_faster_than_one_and_their_limit_is_named() {
    let home = Home::new();
    let report = verified(&home, &["efficiency", "--broker", DATABASE]);
    let work = &report["efficiency"]["work"];
    assert_eq!(work["runs"].as_array().unwrap().len(), 3, "{report}");
    assert_eq!(work["runs"][2]["ideal"], 8.0);
    assert!(work["runs"][2]["speed_up"].as_f64().unwrap() > 1.0, "{report}");
    assert!(work["limit"].is_string() && report["efficiency"]["noop"]["limit"].is_string(), "{report}");
}

#[test]
fn nothing_is_lost_on_sqlite_and_nothing_of_others_is_touched() {
    let home = Home::new();
    fill(&home, DATABASE);
    let before = rows(&home);
    let report = verified(&home, &["faults", "--broker", DATABASE]);
    let faults = &report["faults"];
    assert_eq!((&faults["lost"], &faults["false_rescues"]), (&0.into(), &0.into()), "{report}");
    assert_eq!(faults["rounds"].as_array().unwrap().len(), 3, "{report}");
    assert!(faults["running_at_kills"].as_u64().unwrap() > 0, "{report}");
    assert!(faults["second_run_max_ms"].is_u64() && faults["skipped"][0] == "no-connections", "{report}");
    let after = rows(&home);
    assert_eq!(before, after);
}

#[test]
fn nothing_is_lost_on_redis_although_connections_are_cut_and_keys_of_others_stay() {
    let home = Home::new();
    let (runtime, server) = server();
    let url = server.url();
    fill(&home, &url);
    runtime.block_on(server.command(&["SET", "cardoon-verify-of-somebody-else", "mine"])).unwrap();
    let before = keys(&runtime, &server);
    let report = verified(&home, &["faults", "--broker", &url]);
    let faults = &report["faults"];
    assert_eq!((&faults["lost"], &faults["false_rescues"]), (&0.into(), &0.into()), "{report}");
    assert_eq!(faults["rounds"][3]["fault"], "cut", "{report}");
    let after = keys(&runtime, &server);
    // What the store keeps of itself, and run records that it removes later.
    let is_the_stores = |key: &&String| {
        [
            "cardoon:queues",
            "cardoon:session-number",
            "cardoon:entry-version",
            "cardoon:upkeep",
            "cardoon:turn",
            "cardoon:suspects",
        ]
        .contains(&key.as_str())
    };
    let new =
        after.keys().filter(|key| !before.contains_key(*key) && !is_the_stores(key) && !is_binding(key));
    for key in new {
        assert!(key.starts_with("cardoon:run:"), "left behind: {key}");
        let left: i64 = runtime.block_on(server.command(&["TTL", key])).unwrap().trim().parse().unwrap();
        assert!(left > 0, "{key} is kept for ever");
    }
    for (key, held) in before.iter().filter(|(key, _)| !is_the_stores(key)) {
        assert_eq!(after.get(key), Some(held), "{key}");
    }
}

#[test]
fn two_nodes_agree_with_compare_and_set_and_lose_updates_without() {
    let home = Home::new();
    let (_runtime, server) = server();
    for broker in [DATABASE, &server.url()] {
        let report = verified(&home, &["consistency", "--broker", broker]);
        let consistency = &report["consistency"];
        assert_eq!(consistency["compare_and_set"]["sum"], 100, "{report}");
        assert!(consistency["naive"]["lost"].as_u64().unwrap() > 0, "{report}");
        assert_eq!((&report["passed"], &consistency["passed"]), (&true.into(), &true.into()));
        is_clean(&home, broker);
    }
}

#[test]
fn tasks_that_are_acknowledged_before_they_run_are_found_to_be_lost() {
    let home = Home::new();
    let line = ["verify", "faults", "--quick", "--ack", "early", "--broker", DATABASE];
    let ended = home.run(&line);
    assert_eq!(ended.status, 1, "{ended:?}");
    assert!(
        ended.stdout.contains("FAILED") && ended.stdout.contains("acknowledged before they ran"),
        "{ended:?}"
    );
    is_clean(&home, DATABASE);
}

#[test]
fn a_task_of_the_user_is_measured_and_its_arguments_stay_text_on_the_page() {
    let home = Home::new();
    let args = r#"["<script>alert(1)</script>"]"#;
    let page = home.folder.path().join("verify.html");
    let line = [
        "efficiency",
        "--task",
        "cardoon.echo",
        "--args",
        args,
        "--report",
        "verify.html",
        "--broker",
        DATABASE,
    ];
    let report = verified(&home, &line);
    assert_eq!(report["efficiency"]["work"]["task"], "cardoon.echo", "{report}");
    assert_eq!((&report["efficiency"]["lost"], &report["efficiency"]["failed"]), (&0.into(), &0.into()));
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains("cardoon.echo") && page.contains("<svg") && !page.contains("<script"), "{page}");
    is_clean(&home, DATABASE);
}

#[test]
fn a_task_of_the_user_that_fails_is_told() {
    let home = Home::new();
    let line = ["--task", "cardoon.fail", "--args", "[\"no\"]", "--tasks", "2", "--broker", DATABASE];
    let mut command = home.command(&[&["verify", "efficiency", "--quick"], &line[..]].concat());
    command.env("CARDOON_RETRY__MAX", "0");
    let ended = crate::support::finish(command);
    assert_eq!(ended.status, 1, "{ended:?}");
    assert!(ended.stderr.contains("cardoon.fail is executed about 6 times"), "{ended:?}");
    assert!(ended.stderr.contains("the first failure: Failed: no"), "{ended:?}");
    is_clean(&home, DATABASE);
}

#[test]
fn a_task_of_the_user_outlives_its_workers_and_is_counted_by_its_records() {
    let home = Home::new();
    let line = ["faults", "--task", "cardoon.sleep", "--args", "[0.3]", "--broker", DATABASE];
    let report = verified(&home, &line);
    let faults = &report["faults"];
    assert_eq!((&faults["lost"], &faults["witnessed"]), (&0.into(), &false.into()), "{report}");
    assert!(faults["second_run_max_ms"].is_u64(), "{report}");
    is_clean(&home, DATABASE);
}

#[test]
fn a_task_that_no_fault_can_meet_proves_nothing() {
    let home = Home::new();
    let line = ["verify", "faults", "--quick", "--task", "cardoon.noop", "--broker", DATABASE, "-o", "json"];
    let ended = home.run(&line);
    let report: Value = serde_json::from_str(&ended.stdout).unwrap();
    let faults = &report["faults"];
    let met = faults["running_at_kills"] != 0;
    assert!(met || faults["skipped"].as_array().unwrap().contains(&"too-short".into()), "{report}");
    assert!(met || (faults["passed"].is_null() && ended.status == 1), "{ended:?}");
    assert!(!ended.stderr.contains("CD5002"), "{ended:?}");
    is_clean(&home, DATABASE);
}

#[test]
fn a_task_that_nobody_has_is_named_at_once() {
    let home = Home::new();
    let ended = home.run(&["verify", "faults", "--quick", "--task", "no.such.task", "--broker", DATABASE]);
    assert_eq!(ended.status, 1, "{ended:?}");
    assert!(ended.stderr.contains("the first failure") && ended.stderr.contains("no.such.task"), "{ended:?}");
}

#[test]
fn names_with_living_workers_are_not_taken() {
    let home = Home::new();
    let names: Vec<_> = (0..16).map(|number| format!("cardoon-verify-{number:x}")).collect();
    let worker = home.worker(&["--queues", &names.join(","), "--broker", DATABASE]);
    worker.says("queues");
    let line = ["workers", "list", "--broker", DATABASE];
    eventually(|| home.json(&line), |workers| !workers.as_array().unwrap().is_empty());
    let ended = home.run(&["verify", "consistency", "--quick", "--broker", DATABASE]);
    assert_eq!(ended.status, 1, "{ended:?}");
    assert!(ended.stderr.contains("16 verifications are under way"), "{ended:?}");
    worker.signal("TERM");
    assert_eq!(worker.status(), 0);
}

#[test]
fn without_kills_nothing_is_said_of_workers_that_die() {
    let home = Home::new();
    let ended = home.run(&["verify", "faults", "--quick", "--kills", "0", "--broker", DATABASE]);
    assert_eq!(ended.status, 0, "{ended:?}");
    assert!(ended.stdout.contains("No worker was killed"), "{ended:?}");
}

#[test]
fn a_task_is_not_announced_where_it_is_not_executed() {
    let home = Home::new();
    let line = ["verify", "consistency", "--quick", "--task", "cardoon.noop", "--broker", DATABASE];
    let ended = home.run(&line);
    assert_eq!(ended.status, 0, "{ended:?}");
    assert!(!ended.stderr.contains("is executed"), "{ended:?}");
}

#[test]
fn a_report_that_cannot_be_written_is_noticed_before_anything_is_measured() {
    let home = Home::new();
    let ended = home.run(&["verify", "consistency", "--broker", DATABASE, "--report", "."]);
    assert_eq!(ended.status, 1, "{ended:?}");
    assert!(ended.stdout.is_empty() && !home.folder.path().join("tasks.db").exists(), "{ended:?}");
}

#[test]
fn the_report_is_in_the_language_of_its_reader() {
    let home = Home::new();
    let ended = home.run(&["verify", "consistency", "--quick", "--lang", "zh", "--broker", DATABASE]);
    assert_eq!(ended.status, 0, "{ended:?}");
    assert!(ended.stdout.contains("通过：用比较后写入，结果正确"), "{ended:?}");
}

#[test]
fn a_store_that_nobody_else_sees_or_reaches_is_refused() {
    let home = Home::new();
    assert_eq!(home.run(&["verify", "--broker", "memory:"]).status, 2);
    assert_eq!(home.run(&["verify", "--broker", "redis://127.0.0.1:1"]).status, 3);
    let ended = home.run(&["verify", "--broker", DATABASE, "--report", "nowhere/at/all.html"]);
    assert_eq!(ended.status, 1);
    let ended = home.run(&["verify", "--broker", DATABASE, "--against", "celery"]);
    assert_eq!(ended.status, 2, "{ended:?}");
}
