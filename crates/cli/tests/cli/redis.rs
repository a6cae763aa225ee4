//! What differs when the tasks are on a Redis server.

use cardoon_testkit::RedisServer;
use serde_json::Value;

use crate::support::{Home, Running};

/// The history of a task that failed once and then for good, with these settings.
fn history(server: &RedisServer, settings: &[(&str, &str)]) -> Value {
    let home = Home::new();
    let broker = ["--broker", &server.url()];
    let mut command = home.command(&[&["worker", "--builtin"], &broker[..]].concat());
    command.env("CARDOON_RETRY__MAX", "1").env("CARDOON_RETRY__BASE", "10ms").envs(settings.iter().copied());
    let _worker = Running::start(command);
    let id = home.send(&[&["cardoon.fail", "--args", "[\"no\"]"], &broker[..]].concat());
    let ended = home.run(&[&["task", "wait", &id, "--timeout", "30s"], &broker[..]].concat());
    assert_eq!(ended.status, 1, "{}", ended.stderr);
    home.json(&[&["task", "get", &id], &broker[..]].concat())["history"].clone()
}

#[test]
fn the_history_of_runs_is_kept_if_the_settings_ask_for_it() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(RedisServer::start()).unwrap();
    let kept = history(&server, &[("CARDOON_RETENTION__REDIS_HISTORY", "true")]);
    let states: Vec<_> = kept.as_array().unwrap().iter().map(|run| run["state"].clone()).collect();
    assert_eq!(states, ["RETRY", "FAILURE"], "{kept}");
    let not_kept = history(&server, &[]);
    assert_eq!(not_kept.as_array().unwrap().len(), 1, "the last run is its result: {not_kept}");
    let rows = runtime.block_on(server.command(&["KEYS", "cardoon:history:*"])).unwrap();
    assert_eq!(rows.lines().count(), 1, "{rows}");
}
