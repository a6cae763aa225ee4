use std::collections::HashSet;
use std::time::Duration;

use cardoon_broker::Publish;
use cardoon_core::{QueueName, Signature, SignatureOptions};
use cardoon_runtime::Clock;
use cardoon_testkit::RedisServer;
use serde_json::Value;

use crate::support::{Home, Running, eventually};

const SOURCE: &str = "sqlite:source.db";

/// A server that ends with its runtime's owner.
fn server() -> (tokio::runtime::Runtime, RedisServer) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(RedisServer::start()).unwrap();
    (runtime, server)
}

fn waiting(home: &Home, broker: &str) -> Vec<Value> {
    let all = home.json(&["queue", "peek", "celery", "--limit", "100000", "--broker", broker]);
    let mut all = all.as_array().unwrap().clone();
    all.sort_by_key(|item| item["id"].to_string());
    all
}

fn ids(waiting: &[Value]) -> HashSet<String> {
    waiting.iter().map(|item| item["id"].to_string()).collect()
}

/// Tasks as they wait, but for the time of their sending.
fn described(home: &Home, broker: &str) -> Vec<String> {
    let field = |item: &Value| format!("{} {} {} {}", item["id"], item["task"], item["args"], item["eta"]);
    waiting(home, broker).iter().map(field).collect()
}

/// One task of each kind: a result, a dead letter, and three that wait.
fn filled(home: &Home) -> String {
    let worker = home.worker(&["--broker", SOURCE]);
    let done = home.send(&["cardoon.add", "--args", "[2, 3]", "--wait", "--broker", SOURCE]);
    home.send(&["cardoon.add", "--args", "[\"two\", 3]", "--broker", SOURCE]);
    eventually(|| home.json(&["dead", "list", "--broker", SOURCE]), |dead| dead[0]["id"].is_string());
    worker.signal("TERM");
    assert_eq!(worker.status(), 0);
    for line in [
        &["nobody.knows", "--priority", "2", "--id", "low"][..],
        &["cardoon.noop", "--at", "2100-01-01T00:00:00Z", "--id", "later"],
        &["cardoon.noop", "--expires", "1h", "--id", "expiring"],
    ] {
        home.send(&[line, &["--broker", SOURCE]].concat());
    }
    done
}

#[test]
fn everything_moves_to_redis_and_back() {
    let home = Home::new();
    let (_runtime, server) = server();
    let url = server.url();
    let done = filled(&home);
    let before = described(&home, SOURCE);
    let counted = home.json(&["migrate", "--from", SOURCE, "--to", &url, "--dry-run", "--dead"]);
    assert_eq!((&counted["queues"][0]["ready"], &counted["queues"][0]["dead"]), (&2.into(), &1.into()));
    assert_eq!(described(&home, SOURCE), before, "to count moves nothing");
    let back = "sqlite:back.db";
    for (from, to) in [(SOURCE, url.as_str()), (&url, back)] {
        let moved = home.json(&["migrate", "--from", from, "--to", to, "--dead", "--results"]);
        let row = &moved["queues"][0];
        assert_eq!(
            (&row["dead"], &row["left"], &row["refused"]),
            (&1.into(), &0.into(), &0.into()),
            "{moved}"
        );
        assert_eq!(row["ready"].as_u64().unwrap() + row["delayed"].as_u64().unwrap(), 3, "{moved}");
        assert_eq!(described(&home, to), before);
        assert_eq!(described(&home, from), Vec::<String>::new());
        assert_eq!(home.json(&["task", "get", &done, "--broker", to])["record"]["result"], 5);
        assert_eq!(home.json(&["dead", "list", "--broker", to])[0]["reason"], "bad-arguments");
        assert_eq!(home.json(&["dead", "list", "--broker", from]).as_array().unwrap().len(), 0);
    }
    assert_eq!(waiting(&home, back).iter().find(|item| item["id"] == "low").unwrap()["priority"], 2);
    let _worker = home.worker(&["--broker", back]);
    let ended = || home.json(&["task", "get", "expiring", "--broker", back]);
    eventually(ended, |task| task["state"] == "SUCCESS");
}

/// Each store remembers that the task has ended there.
#[test]
fn what_was_sent_again_is_not_taken_for_what_has_ended() {
    let home = Home::new();
    let (_runtime, server) = server();
    let url = server.url();
    filled(&home);
    let failed = home.json(&["dead", "list", "--broker", SOURCE])[0]["id"].as_str().unwrap().to_owned();
    home.json(&["migrate", "--from", SOURCE, "--to", &url, "--dead"]);
    home.json(&["task", "retry", &failed, "--broker", &url]);
    home.json(&["migrate", "--from", SOURCE, "--to", &url, "--dead", "--results"]);
    let waits = |broker: &str| waiting(&home, broker).iter().any(|item| item["id"] == failed.as_str());
    assert!(waits(&url));
    assert_eq!(home.json(&["task", "get", &failed, "--broker", &url])["state"], "PENDING");
    home.json(&["migrate", "--from", &url, "--to", SOURCE]);
    assert!(waits(SOURCE), "it has ended there, and was sent again since");
    let _worker = home.worker(&["--broker", SOURCE]);
    let dead = || home.json(&["dead", "list", "--broker", SOURCE]);
    eventually(dead, |dead| dead.as_array().unwrap().iter().any(|letter| letter["id"] == failed.as_str()));
}

#[test]
fn the_same_store_is_not_moved_into_itself() {
    let home = Home::new();
    let (_runtime, server) = server();
    home.send(&["cardoon.noop", "--broker", SOURCE]);
    std::os::unix::fs::symlink("source.db", home.folder.path().join("alias.db")).unwrap();
    let localhost = server.url().replace("127.0.0.1", "localhost");
    let url = server.url();
    for (from, to) in [(SOURCE, SOURCE), (SOURCE, "sqlite:///source.db"), (&url, &localhost)] {
        let refused = home.run(&["migrate", "--from", from, "--to", to]);
        assert_eq!(refused.status, 2, "{}", refused.stderr);
        assert!(refused.stderr.contains("are one store"), "{}", refused.stderr);
    }
    assert_eq!(waiting(&home, SOURCE).len(), 1);
    let missing = home.run(&["migrate", "--from", "sqlite:nothing.db", "--to", &url]);
    assert!(missing.stderr.contains("error[CD1112]: there is no database"), "{}", missing.stderr);
    assert!(!home.folder.path().join("nothing.db").exists());
}

#[test]
fn only_the_chosen_queues_move() {
    let home = Home::new();
    home.send(&["cardoon.noop", "--broker", SOURCE]);
    home.send(&["cardoon.noop", "-Q", "mail", "--broker", SOURCE]);
    let moved = home.json(&["migrate", "--from", SOURCE, "--to", "sqlite:target.db", "--queues", "mail"]);
    assert_eq!((&moved["queues"][0]["queue"], &moved["queues"][0]["ready"]), (&"mail".into(), &1.into()));
    assert_eq!(waiting(&home, SOURCE).len(), 1);
}

#[test]
fn a_mover_that_is_killed_is_finished_by_the_next_one() {
    let home = Home::new();
    let (_runtime, server) = server();
    let url = server.url();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(fill(&home.folder.path().join("source.db").display().to_string()));
    let sent = ids(&waiting(&home, SOURCE));
    let clock = Clock::real();
    let mut killed = 0;
    for limit in [15, 20, 25, 30, 40, 60] {
        let line = ["migrate", "--from", SOURCE, "--to", &url, "-o", "json"];
        let mover = Running::start(home.command(&line));
        runtime.block_on(clock.sleep(Duration::from_millis(limit)));
        mover.signal("KILL");
        killed += usize::from(mover.status() != 0);
    }
    assert!(killed > 0, "none was killed in time");
    let last = home.json(&["migrate", "--from", SOURCE, "--to", &url]);
    assert!(last["queues"].as_array().unwrap().iter().all(|row| row["left"] == 0), "{last}");
    assert_eq!((sent.len(), ids(&waiting(&home, &url))), (TASKS, sent));
}

const TASKS: usize = 6000;

/// Sends tasks, every other one delayed.
async fn fill(path: &str) {
    let store = cardoon_connect::connect(&format!("sqlite:{path}"), None, &Clock::real()).await.unwrap();
    let due = Clock::real().now().plus(Duration::from_hours(1));
    let publish = |number: usize| {
        let eta = number.is_multiple_of(2).then_some(due);
        let options = SignatureOptions { eta, ..SignatureOptions::default() };
        let call = Signature { task: "nobodys".into(), args: "[1]".into(), kwargs: "{}".into(), options };
        let message = cardoon_protocol::encode(&call, cardoon_runtime::ids::task_id(), "test").unwrap();
        Publish { queue: QueueName::default_queue(), message, not_before: eta, resent: false }
    };
    for answer in store.broker.publish((0..TASKS).map(publish).collect()).await {
        answer.unwrap();
    }
    store.broker.close(Duration::from_secs(5)).await.unwrap();
}
