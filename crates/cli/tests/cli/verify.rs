use std::collections::BTreeMap;

use cardoon_testkit::RedisServer;
use rusqlite::Connection;
use serde_json::Value;

use crate::support::{Home, Running, eventually};

const DATABASE: &str = "sqlite:tasks.db";

/// A server that ends with its runtime's owner.
fn server() -> (tokio::runtime::Runtime, RedisServer) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(RedisServer::start()).unwrap();
    (runtime, server)
}

/// Work of somebody else that must stay as it is: tasks that wait, now and later, and one that has ended.
fn fill(home: &Home, broker: &str) {
    let worker = home.worker(&["--broker", broker]);
    home.send(&["cardoon.add", "--args", "[2, 3]", "--wait", "--broker", broker]);
    worker.signal("TERM");
    assert_eq!(worker.status(), 0);
    home.send(&["mail.send", "--queue", "mail", "--broker", broker]);
    home.send(&["mail.send", "--queue", "mail", "--at", "2100-01-01T00:00:00Z", "--broker", broker]);
}

/// All rows of the tables that hold somebody's work, as text. The run records of the verification's tasks, which the
/// store removes later, are not looked at.
fn rows(home: &Home) -> BTreeMap<&'static str, Vec<String>> {
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
fn keys(runtime: &tokio::runtime::Runtime, server: &RedisServer) -> BTreeMap<String, String> {
    let ask = |words: &[&str]| runtime.block_on(server.command(words)).unwrap();
    let names = ask(&["KEYS", "*"]);
    names.lines().map(|name| (name.to_owned(), ask(&["DUMP", name]))).collect()
}

/// The store tells Celery's programs of each queue, and never takes that back.
fn is_binding(key: &str) -> bool {
    key.starts_with("_kombu.binding.cardoon-verify-")
}

fn verified(home: &Home, line: &[&str]) -> Value {
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
fn an_interrupted_verification_leaves_nothing() {
    let home = Home::new();
    fill(&home, DATABASE);
    let before = rows(&home);
    let running =
        Running::start(home.command(&["verify", "faults", "--kills", "1000", "--broker", DATABASE]));
    running.says("killing, pausing");
    eventually(
        || home.json(&["queue", "list", "--broker", DATABASE]),
        |queues| {
            queues
                .as_array()
                .unwrap()
                .iter()
                .any(|it| it["queue"].as_str().unwrap().starts_with("cardoon-verify") && it["held"] != 0)
        },
    );
    running.signal("INT");
    assert_eq!(running.status(), 130);
    assert_eq!(before, rows(&home));
}

#[test]
fn what_a_killed_verification_has_left_is_removed_by_the_next_one() {
    let home = Home::new();
    fill(&home, DATABASE);
    let before = rows(&home);
    let running =
        Running::start(home.command(&["verify", "faults", "--kills", "1000", "--broker", DATABASE]));
    running.says("killing, pausing");
    let of_verification = |queues: &Value| {
        let all = queues.as_array().unwrap().clone();
        all.into_iter().find(|it| it["queue"].as_str().unwrap().starts_with("cardoon-verify"))
    };
    let list = || home.json(&["queue", "list", "--broker", DATABASE]);
    eventually(list, |queues| of_verification(queues).is_some_and(|queue| queue["held"] != 0));
    running.signal("KILL");
    running.status();
    // Its workers notice that nobody waits for them.
    eventually(list, |queues| of_verification(queues).is_none_or(|queue| queue["workers"] == 0));
    // It has said that it is there for a minute.
    let database = Connection::open(home.folder.path().join("tasks.db")).unwrap();
    database.execute("DELETE FROM entry", []).unwrap();
    drop(database);
    verified(&home, &["consistency", "--broker", DATABASE]);
    assert_eq!(before, rows(&home));
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

#[test]
fn celery_on_the_same_server_is_measured_beside_and_leaves_no_key() {
    let home = Home::new();
    let (runtime, server) = server();
    let url = server.url();
    let requirements = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/interop/python/requirements/celery-5.6.txt");
    let python = cardoon_testkit::environment(&requirements).unwrap().join("bin/python");
    let line = ["consistency", "--tasks", "8", "--against", "celery", "--broker", &url, "--python"];
    let report = verified(&home, &[&line[..], &[python.to_str().unwrap()]].concat());
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
