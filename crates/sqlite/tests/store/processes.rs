//! Several real processes on one file: the test binary starts itself again.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use cardoon_broker::{Broker, ConsumeSpec, Place, Settle, Settled};
use cardoon_core::lease::LeaseTerms;
use cardoon_core::settle::Verdict;
use cardoon_core::{Event, EventKind, TaskState};
use cardoon_results::ResultBackend;
use cardoon_runtime::Clock;
use cardoon_sqlite::{SqliteOptions, SqliteStore};
use cardoon_testkit::{Process, eventually};

use crate::common::{LIMIT, claim, done, id, publish, send, soon, spec};

const ROLE: &str = "CARDOON_STORE_ROLE";
const FOLDER: &str = "CARDOON_STORE_FOLDER";

/// Short, so that a test of a lapsed lease is.
const TERMS: LeaseTerms = LeaseTerms { lease: Duration::from_secs(2), heartbeat: Duration::from_millis(500) };

fn options() -> SqliteOptions {
    SqliteOptions { safety_net: None, ..SqliteOptions::default() }
}

fn open(folder: &Path) -> Arc<SqliteStore> {
    SqliteStore::open(folder.join("tasks.db"), &options(), &Clock::real()).unwrap()
}

fn start(role: &str, folder: &Path) -> Process {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "processes::child", "--nocapture"]).env(ROLE, role).env(FOLDER, folder);
    Process::start(&mut command).unwrap()
}

async fn exists(file: PathBuf) {
    eventually("the file is there", LIMIT, async || file.exists()).await;
}

async fn ends(mut process: Process) {
    eventually("the process ends", LIMIT, async || !process.is_alive().unwrap()).await;
}

/// Not a test of its own, but what the other processes of the tests do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child() {
    let (Ok(role), Ok(folder)) = (std::env::var(ROLE), std::env::var(FOLDER)) else { return };
    let folder = PathBuf::from(folder);
    match role.as_str() {
        "hold" => hold(&folder).await,
        "settle" => settle(&folder).await,
        "revoke" => revoke(&folder).await,
        "emit" => emit(&folder).await,
        name => {
            exists(folder.join("go")).await;
            send(&open(&folder), &[name]).await;
        }
    }
}

/// Holds two deliveries, the first one started, and settles them when it is told to.
async fn hold(folder: &Path) {
    let spec = ConsumeSpec { terms: TERMS, worker: "holder".into(), ..spec() };
    let consumer = open(folder).consume(spec).await.unwrap();
    let held = claim(&consumer, 2).await;
    consumer.mark_started(held[0].lease);
    std::fs::write(folder.join("holding"), "").unwrap();
    eventually("it is told to go on", LIMIT * 3, async || {
        consumer.heartbeat().unwrap();
        folder.join("go on").exists()
    })
    .await;
    let answers = consumer.settle(held.iter().map(done).collect()).await;
    let lost = answers.iter().all(|answer| matches!(answer, Ok(Settled::LeaseLost)));
    std::fs::write(folder.join("answer.new"), if lost { "lost" } else { "settled" }).unwrap();
    std::fs::rename(folder.join("answer.new"), folder.join("answer")).unwrap();
}

async fn settle(folder: &Path) {
    let consumer = open(folder).consume(spec()).await.unwrap();
    let taken = claim(&consumer, 1).await;
    consumer.settle(vec![done(&taken[0])]).await.pop().unwrap().unwrap();
}

async fn revoke(folder: &Path) {
    open(folder).revoke(vec![id("a")]).await.pop().unwrap().unwrap();
}

async fn emit(folder: &Path) {
    let store = open(folder);
    store.emit(vec![Event::of_worker(EventKind::WorkerOnline, "child".into(), Clock::real().now())]);
    Broker::close(&*store, LIMIT).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_processes_may_open_a_fresh_file_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let children: Vec<Process> = (0..8).map(|n| start(&format!("task-{n}"), folder.path())).collect();
    std::fs::write(folder.path().join("go"), "").unwrap();
    for child in children {
        ends(child).await;
    }
    let stats = open(folder.path()).inspect().queues().await.unwrap();
    assert_eq!(stats[0].ready, 8, "each of them opened the file and stored its message");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_killed_process_held_is_found_and_only_the_started_task_is_blamed() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let rescuer = store.consume(ConsumeSpec { worker: "rescuer".into(), ..spec() }).await.unwrap();
    send(&store, &["started", "waiting"]).await;
    let mut holder = start("hold", folder.path());
    exists(folder.path().join("holding")).await;
    let (_, place) = store.inspect().locate(&id("started")).await.unwrap().unwrap();
    assert_eq!(place, Place::Held { worker: "holder".into(), started: true });
    assert_eq!(rescuer.sweep().await.unwrap().lost_workers, Vec::<String>::new());
    holder.kill().unwrap();
    let report = soon(rescuer.sweep()).await.unwrap();
    assert_eq!(report.lost_workers, ["holder"], "its lock went with it");
    let again = claim(&rescuer, 2).await;
    let deaths: Vec<_> =
        again.iter().map(|delivery| (delivery.message.id.as_str(), delivery.deaths)).collect();
    assert_eq!(deaths, [("started", 1), ("waiting", 0)]);
    assert_eq!(store.inspect().members().await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_process_keeps_its_deliveries_for_one_lease_and_settles_nothing_after() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    send(&store, &["a", "b"]).await;
    let mut holder = start("hold", folder.path());
    exists(folder.path().join("holding")).await;
    let rescuer =
        store.consume(ConsumeSpec { worker: "rescuer".into(), terms: TERMS, ..spec() }).await.unwrap();
    signal(&holder, "-STOP");
    let mut requeued = Vec::new();
    eventually("the silent one's deliveries return", LIMIT, async || {
        rescuer.heartbeat().unwrap();
        requeued.extend(rescuer.sweep().await.unwrap().requeued);
        requeued.len() == 2
    })
    .await;
    let again = claim(&rescuer, 2).await;
    assert!(again.iter().all(|delivery| delivery.redelivered && delivery.deaths == 0));
    signal(&holder, "-CONT");
    std::fs::write(folder.path().join("go on"), "").unwrap();
    exists(folder.path().join("answer")).await;
    assert_eq!(std::fs::read_to_string(folder.path().join("answer")).unwrap(), "lost");
    let left: Vec<_> = again.iter().map(|delivery| Settle::bare(delivery.lease, Verdict::Ack)).collect();
    assert!(rescuer.settle(left).await.iter().all(|answer| matches!(answer, Ok(Settled::Done))));
    eventually("the process ends", LIMIT, async || !holder.is_alive().unwrap()).await;
}

fn signal(process: &Process, signal: &str) {
    let sent = Command::new("kill").args([signal, &process.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_wakes_for_a_message_of_another_process() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let consumer = store.consume(spec()).await.unwrap();
    std::fs::write(folder.path().join("go"), "").unwrap();
    let child = start("a", folder.path());
    assert_eq!(soon(consumer.claim(1)).await.unwrap()[0].message.id, id("a"));
    ends(child).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wait_wakes_for_a_result_of_another_process() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let child = start("settle", folder.path());
    let wanted = id("a");
    let (record, ()) = soon(async { tokio::join!(store.wait(&wanted, None), send(&store, &["a"])) }).await;
    assert_eq!(record.unwrap().unwrap().state, TaskState::Success);
    ends(child).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_holder_hears_of_a_revoke_by_another_process() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    send(&store, &["a"]).await;
    let consumer = store.consume(spec()).await.unwrap();
    claim(&consumer, 1).await;
    let child = start("revoke", folder.path());
    assert_eq!(soon(consumer.revoked()).await.unwrap(), [id("a")]);
    ends(child).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listener_hears_events_of_another_process() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    assert!(!store.has_listeners());
    let mut events = store.listen().await.unwrap();
    assert!(store.has_listeners());
    let child = start("emit", folder.path());
    assert_eq!(&*soon(events.next()).await.unwrap()[0].worker, "child");
    ends(child).await;
    drop(events);
    assert!(!store.has_listeners());
    assert_eq!(store.publish(vec![publish("a")]).await.len(), 1);
}
