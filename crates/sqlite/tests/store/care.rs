//! Check, backup and vacuum, beside those who work.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use cardoon_broker::{Broker, Publish};
use cardoon_core::settle::Verdict;
use cardoon_core::{DeadReason, Timestamp};
use cardoon_errors::Code;
use cardoon_runtime::Clock;
use cardoon_sqlite::care::{Sizes, Space, backup, check, vacuum};
use cardoon_sqlite::{SqliteOptions, SqliteStore};
use cardoon_testkit::{Process, eventually};
use rusqlite::Connection;

use crate::common::{LIMIT, claim, done, id, publish, queue, send, soon, spec, store};

const ROLE: &str = "CARDOON_CARE_ROLE";
const FOLDER: &str = "CARDOON_CARE_FOLDER";

fn open(path: &Path) -> Arc<SqliteStore> {
    SqliteStore::open(path, &SqliteOptions::default(), &Clock::real()).unwrap()
}

fn delayed(name: &str) -> Publish {
    Publish { not_before: Some(Timestamp(4_000_000_000_000)), ..publish(name) }
}

/// A database with a message in each place: `ready`, `delayed`, `held` and `dead`. The store is open, and holds one.
async fn one_in_each_place() -> (tempfile::TempDir, Arc<SqliteStore>, Arc<dyn cardoon_broker::Consumer>) {
    let (folder, store) = store();
    let consumer = store.consume(spec()).await.unwrap();
    send(&store, &["dead", "held"]).await;
    let taken = claim(&consumer, 2).await;
    let verdict = Verdict::Dead { reason: DeadReason::Failed, detail: "no".into() };
    let settle = cardoon_broker::Settle::bare(taken[0].lease, verdict);
    consumer.settle(vec![settle]).await.pop().unwrap().unwrap();
    send(&store, &["ready"]).await;
    store.publish(vec![delayed("delayed")]).await.pop().unwrap().unwrap();
    (folder, store, consumer)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_worked_with_is_sound_and_says_where_its_messages_are() {
    let (_folder, store, _consumer) = one_in_each_place().await;
    for full in [false, true] {
        let report = check(store.path(), full).unwrap();
        assert_eq!(report.findings, []);
        let messages = report.messages;
        assert_eq!((messages.ready, messages.delayed, messages.held, messages.dead), (1, 1, 1, 1));
        assert!(report.sizes.file > 0 && report.sizes.gives_back);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_that_contradict_each_other_are_found() {
    for (sql, finding) in [
        ("DELETE FROM ready", "messages in no place"),
        ("INSERT INTO ready SELECT queue, 5, 99, seq FROM held", "messages in several places"),
        ("DELETE FROM message WHERE id = 'delayed'", "places without their message"),
        ("DELETE FROM session", "messages held by a worker that has left"),
        ("DELETE FROM queue", "messages of a queue without a name"),
        ("UPDATE ready SET rank = 9", "messages in the line of another queue or priority"),
        ("UPDATE delayed SET due = due + 1", "delayed messages that are noted with another time"),
        ("DELETE FROM task WHERE id = 'ready'", "waiting messages that cannot be found by their id"),
        ("UPDATE task SET seq = 99 WHERE id = 'ready'", "ids taken by a message that is gone"),
        ("UPDATE task SET record = 99 WHERE id = 'ready'", "tasks whose result is gone"),
    ] {
        let (_folder, store, _consumer) = one_in_each_place().await;
        Connection::open(store.path()).unwrap().execute_batch(sql).unwrap();
        let found = check(store.path(), false).unwrap().findings;
        let seen = found.iter().find(|found| found.what.starts_with(finding));
        let seen = seen.unwrap_or_else(|| panic!("{finding}: not in {found:?}"));
        assert_eq!(seen.code, Code::RowsContradict);
        assert_eq!(seen.rows, Some(if sql == "DELETE FROM queue" { 4 } else { 1 }), "{finding}");
        assert!(seen.example.is_some(), "{finding}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_file_is_found_and_not_copied() {
    let (folder, store, consumer) = one_in_each_place().await;
    let path = store.path().to_owned();
    let names: Vec<String> = (0..200).map(|n| format!("task-{n}")).collect();
    send(&store, &names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    consumer.close().await.unwrap();
    drop(consumer);
    Broker::close(&*store, LIMIT).await.unwrap();
    spoil(&path);
    let found = check(&path, false);
    let is_told = match &found {
        Ok(report) => report.findings.iter().any(|finding| finding.code == Code::Corrupt),
        Err(error) => error.code() == Code::Corrupt,
    };
    assert!(is_told, "{found:?}");
    let target = folder.path().join("copy.db");
    assert_eq!(backup(&path, &target, false, &Clock::real()).unwrap_err().code(), Code::Corrupt);
    assert_eq!(names_in(folder.path()), ["tasks.db", "tasks.db.live"]);
}

/// Overwrites a page of the table `message`.
fn spoil(path: &Path) {
    let page: u64 = Connection::open(path)
        .unwrap()
        .query_row("SELECT rootpage FROM sqlite_schema WHERE name = 'message'", [], |row| {
            row.get::<_, i64>(0)
        })
        .unwrap() as u64;
    let mut bytes = std::fs::read(path).unwrap();
    let begin = (page as usize - 1) * 4096;
    bytes[begin..begin + 4096].fill(0xff);
    std::fs::write(path, bytes).unwrap();
}

fn names_in(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn what_looks_after_a_database_never_makes_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tasks.db");
    let target = folder.path().join("copy.db");
    let clock = Clock::real();
    let codes = || {
        [
            check(&path, false).unwrap_err().code(),
            backup(&path, &target, false, &clock).unwrap_err().code(),
            vacuum(&path, Space::Free).unwrap_err().code(),
        ]
    };
    assert_eq!(codes(), [Code::NoDatabase; 3]);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    std::fs::write(&path, "").unwrap();
    assert_eq!(codes(), [Code::NoDatabase; 3], "an empty file is no database");
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE notes (text)").unwrap();
    assert_eq!(codes(), [Code::NotOurDatabase; 3]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_holds_everything_and_nothing_of_those_who_live() {
    let (folder, store, _consumer) = one_in_each_place().await;
    let target = folder.path().join("copy.db");
    let report = backup(store.path(), &target, false, &Clock::real()).unwrap();
    assert_eq!((report.put_back, report.messages.ready, report.messages.held), (1, 2, 0));
    assert_eq!((report.messages.delayed, report.messages.dead), (1, 1));
    assert_eq!(report.bytes, target.metadata().unwrap().len());
    assert_eq!(target.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(check(&target, true).unwrap().findings, []);
    let copy = open(&target);
    assert_eq!(copy.inspect().members().await.unwrap(), [], "nobody of the original is believed in");
    let taken = claim(&copy.consume(spec()).await.unwrap(), 2).await;
    let seen: Vec<_> =
        taken.iter().map(|delivery| (delivery.message.id.as_str(), delivery.redelivered)).collect();
    assert_eq!(seen, [("held", true), ("ready", false)], "what was held counts as tried");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_early_does_not_run_again_from_a_copy() {
    let (folder, store) = store();
    let consumer = store.consume(spec()).await.unwrap();
    send(&store, &["a"]).await;
    let taken = claim(&consumer, 1).await;
    let early = cardoon_broker::Settle::bare(taken[0].lease, Verdict::AckEarly);
    consumer.settle(vec![early]).await.pop().unwrap().unwrap();
    let target = folder.path().join("copy.db");
    let report = backup(store.path(), &target, false, &Clock::real()).unwrap();
    assert_eq!((report.put_back, report.messages.ready), (0, 0));
    let ended = cardoon_results::ResultBackend::get(&*open(&target), &[id("a")]).await.unwrap();
    let failure = ended[0].as_ref().unwrap().failure.as_ref().unwrap();
    assert_eq!(failure.kind, "OutcomeUnknown", "{failure:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_replaces_nothing_that_it_was_not_told_to() {
    let (folder, store, _consumer) = one_in_each_place().await;
    let clock = Clock::real();
    let target = folder.path().join("copy.db");
    let code = |target: &Path, replace| backup(store.path(), target, replace, &clock).unwrap_err().code();
    std::fs::write(&target, "mine").unwrap();
    assert_eq!(code(&target, false), Code::NeedsYes);
    assert_eq!(std::fs::read(&target).unwrap(), b"mine");
    assert_eq!(code(store.path(), true), Code::BadInput, "not over itself");
    let link = folder.path().join("link.db");
    std::os::unix::fs::symlink(store.path(), &link).unwrap();
    assert_eq!(code(&link, true), Code::BadInput, "nor by another name");
    let (_elsewhere, other) = crate::common::store();
    send(&other, &["b"]).await;
    assert_eq!(code(other.path(), true), Code::BadInput, "nor over one that is in use");
    assert_eq!(code(&folder.path().join("no/copy.db"), true), Code::CannotOpenFile);
    backup(store.path(), &target, true, &clock).unwrap();
    assert_eq!(check(&target, false).unwrap().messages.ready, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn space_that_nothing_holds_is_given_back_a_little_at_a_time() {
    let (_folder, store) = store();
    fill(&store, 2000).await;
    assert_eq!(store.inspect().purge(&queue()).await.unwrap(), 2000);
    let full = check(store.path(), false).unwrap().sizes;
    let log = vacuum(store.path(), Space::Log).unwrap();
    assert_eq!(log.after.log, 0, "{log:?}");
    assert_eq!(log.after.free, full.free, "only the log was touched");
    let report = vacuum(store.path(), Space::Free).unwrap();
    assert!(report.after.file * 4 < report.before.file, "{report:?}");
    assert_eq!(report.after.free, 0);
    assert_eq!(check(store.path(), true).unwrap().findings, []);
    send(&store, &["after"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_of_the_older_kind_is_rewritten_once_and_gives_back_from_then_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tasks.db");
    let layout = include_str!("../../src/layout.sql");
    let marks = "PRAGMA application_id = 1129464910; PRAGMA user_version = 1; PRAGMA journal_mode = WAL";
    Connection::open(&path).unwrap().execute_batch(&format!("BEGIN; {layout} COMMIT; {marks};")).unwrap();
    let store = open(&path);
    fill(&store, 500).await;
    store.inspect().purge(&queue()).await.unwrap();
    send(&store, &["stays"]).await;
    assert_eq!(vacuum(&path, Space::Free).unwrap_err().code(), Code::Unsupported);
    let report = vacuum(&path, Space::All).unwrap();
    let taken = |sizes: Sizes| sizes.file + sizes.log;
    assert!(taken(report.after) < taken(report.before) && report.after.gives_back, "{report:?}");
    vacuum(&path, Space::Free).unwrap();
    let consumer = store.consume(spec()).await.unwrap();
    assert_eq!(claim(&consumer, 1).await[0].message.id, id("stays"));
}

/// Sends `count` messages of a kilobyte.
async fn fill(store: &SqliteStore, count: usize) {
    let message = |n| {
        let mut publish = publish(&format!("fill-{n}"));
        publish.message.body = vec![b' '; 1024].into();
        publish
    };
    for answer in store.publish((0..count).map(message).collect()).await {
        answer.unwrap();
    }
}

/// Not a test of its own, but what the other processes of the tests do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child() {
    let (Ok(role), Ok(folder)) = (std::env::var(ROLE), std::env::var(FOLDER)) else { return };
    let folder = PathBuf::from(folder);
    let store = open(&folder.join("tasks.db"));
    match role.as_str() {
        "send" => keep_sending(&store, &folder).await,
        _ => keep_working(&store, &folder).await,
    }
}

/// Sends until there is a file `stop`, and notes what was acknowledged.
async fn keep_sending(store: &SqliteStore, folder: &Path) {
    let mut n = 0;
    while !folder.join("stop").exists() {
        let names: Vec<String> = (n..n + 10).map(|n| format!("task-{n}")).collect();
        send(store, &names.iter().map(String::as_str).collect::<Vec<_>>()).await;
        note(folder, "sent", &names);
        n += 10;
    }
    note(folder, "all sent", &["yes".to_owned()]);
}

/// Takes and settles, and notes what it takes before it settles. What was held before is noted as robbed: nobody dies here.
async fn keep_working(store: &Arc<SqliteStore>, folder: &Path) {
    let consumer = store.consume(spec()).await.unwrap();
    let mut beats = 0;
    loop {
        consumer.heartbeat().unwrap();
        beats += 1;
        if beats % 5 == 0 {
            consumer.sweep().await.unwrap();
        }
        let Ok(taken) = tokio::time::timeout(LIMIT / 100, consumer.claim(10)).await else { continue };
        let taken = taken.unwrap();
        let robbed = taken.iter().filter(|delivery| delivery.redelivered);
        note(folder, "robbed", &robbed.map(|delivery| delivery.message.id.to_string()).collect::<Vec<_>>());
        note(
            folder,
            "done",
            &taken.iter().map(|delivery| delivery.message.id.to_string()).collect::<Vec<_>>(),
        );
        for answer in consumer.settle(taken.iter().map(done).collect()).await {
            answer.unwrap();
        }
    }
}

fn note(folder: &Path, file: &str, names: &[String]) {
    use std::io::Write as _;
    let lines = [names, &[String::new()]].concat().join("\n");
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.create(true).append(true).open(folder.join(file)).unwrap();
    if !names.is_empty() {
        file.write_all(lines.as_bytes()).unwrap();
    }
}

fn noted(folder: &Path, file: &str) -> BTreeSet<String> {
    std::fs::read_to_string(folder.join(file)).unwrap_or_default().lines().map(str::to_owned).collect()
}

fn start(role: &str, folder: &Path) -> Process {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "care::child", "--nocapture"]).env(ROLE, role).env(FOLDER, folder);
    Process::start(&mut command).unwrap()
}

async fn under_load(folder: &Path) -> Vec<Process> {
    let children = vec![start("send", folder), start("work", folder), start("work", folder)];
    eventually("there is work under way", LIMIT, async || noted(folder, "done").len() > 100).await;
    children
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_that_was_made_under_load_has_all_that_was_acknowledged_and_not_done() {
    let folder = tempfile::tempdir().unwrap();
    let children = under_load(folder.path()).await;
    let before = noted(folder.path(), "sent");
    let (database, target) = (folder.path().join("tasks.db"), folder.path().join("copy.db"));
    let bare = folder.path().join("bare.db");
    std::fs::copy(&database, &bare).unwrap();
    backup(&database, &target, false, &Clock::real()).unwrap();
    children.into_iter().for_each(drop);
    let done_at_the_end = noted(folder.path(), "done");
    let wanted: BTreeSet<String> = before.difference(&done_at_the_end).cloned().collect();
    let restored = folder.path().join("restored.db");
    std::fs::copy(&target, &restored).unwrap();
    assert_eq!(check(&restored, true).unwrap().findings, []);
    assert_eq!(wanted.difference(&runs_of(&restored).await).count(), 0);
    let newest = BTreeSet::from([before.iter().max_by_key(|name| number(name)).unwrap().clone()]);
    let is_whole = check(&bare, false).is_ok_and(|report| report.findings.is_empty());
    let has_newest = is_whole && newest.is_subset(&runs_of(&bare).await);
    assert!(!has_newest, "the file without its log would do as well, so this test shows nothing");
}

fn number(name: &str) -> usize {
    name.rsplit('-').next().unwrap().parse().unwrap()
}

/// What a worker would execute with this database.
async fn runs_of(path: &Path) -> BTreeSet<String> {
    let ready = check(path, false).unwrap().messages.ready as usize;
    let consumer = open(path).consume(spec()).await.unwrap();
    claim(&consumer, ready).await.iter().map(|delivery| delivery.message.id.to_string()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_live_through_a_vacuum_and_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tasks.db");
    let store = open(&path);
    fill(&store, 5000).await;
    store.inspect().purge(&queue()).await.unwrap();
    let mut children = under_load(folder.path()).await;
    for space in [Space::Log, Space::Free, Space::All, Space::Free] {
        vacuum(&path, space).unwrap();
    }
    assert_eq!(check(&path, true).unwrap().findings, []);
    std::fs::write(folder.path().join("stop"), "").unwrap();
    eventually("all is done", LIMIT, async || {
        let all_sent = folder.path().join("all sent").exists();
        all_sent && noted(folder.path(), "sent").is_subset(&noted(folder.path(), "done"))
    })
    .await;
    assert!(children[1].is_alive().unwrap() && children[2].is_alive().unwrap());
    assert_eq!(noted(folder.path(), "robbed"), BTreeSet::new());
    let executions = std::fs::read_to_string(folder.path().join("done")).unwrap().lines().count();
    assert_eq!(executions, noted(folder.path(), "done").len(), "none was executed twice");
    soon(Broker::close(&*store, LIMIT)).await.unwrap();
}
