use cardoon_testkit::RedisServer;

use crate::support::{Home, Running, eventually};

/// A home whose broker is a Redis server, which lives as long as its runtime is not dropped.
fn on_redis() -> (Home, RedisServer, tokio::runtime::Runtime, String) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(RedisServer::start()).unwrap();
    let url = server.url();
    (Home::new(), server, runtime, url)
}

fn worker(home: &Home, url: &str) -> Running {
    let worker = home.worker(&["--broker", url]);
    eventually(|| home.json(&["--broker", url, "queue", "list"]), |queues| queues[0]["workers"] == 1);
    worker
}

#[test]
fn tasks_are_handed_back_when_no_worker_is_left() {
    let (home, server, runtime, url) = on_redis();
    let broker = ["--broker", url.as_str()];
    let worker = worker(&home, &url);
    home.send(&[&["cardoon.noop", "--in", "1h"], &broker[..]].concat());
    let refused = home.run(&[&["handback"], &broker[..]].concat());
    assert_eq!(refused.status, 1);
    assert!(refused.stderr.contains("error[CD3013]: 1 worker(s)"), "{}", refused.stderr);
    assert!(refused.stderr.contains("holds 0"), "{}", refused.stderr);
    let counted = home.json(&[&["handback", "--dry-run"], &broker[..]].concat());
    assert_eq!(counted[0]["delayed"], 1);
    worker.signal("TERM");
    let returned = home.json(&[&["handback", "--wait", "30s"], &broker[..]].concat());
    assert_eq!(returned[0]["delayed"], 1, "{returned}");
    assert_eq!(runtime.block_on(server.command(&["LLEN", "celery"])).unwrap(), "1");
    assert_eq!(worker.status(), 0);
    let nothing = home.run(&[&["handback"], &broker[..]].concat());
    assert_eq!((nothing.status, nothing.stdout.lines().count()), (0, 1), "{}", nothing.stdout);
}

#[test]
fn a_store_that_nobody_shares_hands_nothing_back() {
    let home = Home::new();
    assert_eq!(home.run(&["handback"]).status, 4, "it makes no database");
    home.send(&["cardoon.noop"]);
    let refused = home.run(&["handback"]);
    assert_eq!(refused.status, 2);
    assert!(refused.stderr.contains("error[CD1007]: nobody but Cardoon"), "{}", refused.stderr);
    let chinese = home.run(&["handback", "--lang", "zh"]);
    assert!(chinese.stderr.contains("错误[CD1007]：这些队列只有 Cardoon 在用"), "{}", chinese.stderr);
}
