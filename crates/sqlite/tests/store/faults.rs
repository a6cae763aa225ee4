//! What goes wrong with a file, a disk or a neighbour.

use std::time::Duration;

use bytes::Bytes;
use cardoon_broker::{Broker, Publish};
use cardoon_core::Message;
use cardoon_errors::{Applied, Code, Error};
use cardoon_runtime::Clock;
use cardoon_sqlite::{SqliteOptions, SqliteStore};
use rusqlite::Connection;

use crate::common::{claim, done, id, message, publish, queue, send, soon, spec, store, store_with};

async fn refusal(store: &SqliteStore, publish: Publish) -> Option<Error> {
    store.publish(vec![publish]).await.pop().unwrap().err()
}

/// A message that takes some pages.
fn large(name: &str) -> Publish {
    Publish {
        message: Message { body: Bytes::from(vec![b'x'; 20_000]), ..message(name) },
        queue: cardoon_core::QueueName::new("large").unwrap(),
        ..publish(name)
    }
}

#[tokio::test]
async fn a_full_disk_is_an_error_and_work_resumes_when_there_is_space() {
    let options = SqliteOptions { max_bytes: Some(2 * 1024 * 1024), ..SqliteOptions::default() };
    let (_folder, store) = store_with(&options);
    send(&store, &["a"]).await;
    let mut stored = 0;
    let error = loop {
        match refusal(&store, large(&format!("large-{stored}"))).await {
            None => stored += 1,
            Some(error) => break error,
        }
    };
    assert_eq!((error.code(), error.was_applied()), (Code::DiskFull, Applied::No));
    assert!(stored > 10);
    let broker: &dyn Broker = &*store;
    assert_eq!(
        broker.inspect().peek(&large("any").queue, 1000).await.unwrap().len(),
        stored,
        "nothing is lost"
    );
    assert_eq!(broker.inspect().purge(&large("any").queue).await.unwrap(), stored as u64);
    assert!(refusal(&store, publish("b")).await.is_none());
    let consumer = store.consume(spec()).await.unwrap();
    let taken = claim(&consumer, 2).await;
    assert!(consumer.settle(taken.iter().map(done).collect()).await.iter().all(Result::is_ok));
}

#[tokio::test]
async fn a_file_that_was_removed_takes_nothing_more() {
    let (folder, store) = store();
    let path = folder.path().join("tasks.db");
    send(&store, &["a"]).await;
    std::fs::remove_file(&path).unwrap();
    assert_eq!(refusal(&store, publish("b")).await.unwrap().code(), Code::FileGone);
    assert_eq!(store.inspect().queues().await.unwrap_err().code(), Code::FileGone);
    std::fs::remove_file(folder.path().join("tasks.db-wal")).unwrap();
    std::fs::remove_file(folder.path().join("tasks.db-shm")).unwrap();
    let again = SqliteStore::open(&path, &SqliteOptions::default(), &Clock::real()).unwrap();
    send(&again, &["c"]).await;
    assert_eq!(
        refusal(&store, publish("d")).await.unwrap().code(),
        Code::FileGone,
        "the old one stays closed"
    );
}

#[tokio::test]
async fn a_file_that_was_replaced_is_left_alone() {
    let (folder, store) = store();
    let path = folder.path().join("tasks.db");
    send(&store, &["a"]).await;
    std::fs::write(folder.path().join("other"), "mine").unwrap();
    std::fs::rename(folder.path().join("other"), &path).unwrap();
    assert_eq!(refusal(&store, publish("b")).await.unwrap().code(), Code::FileGone);
    drop(store);
    assert_eq!(std::fs::read(&path).unwrap(), b"mine");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_foreign_lock_is_waited_for_and_stops_no_heartbeat() {
    let (_folder, store) = store();
    let consumer = store.consume(spec()).await.unwrap();
    let foreign = Connection::open(store.path()).unwrap();
    foreign.execute_batch("BEGIN IMMEDIATE").unwrap();
    let held_up = {
        let store = store.clone();
        tokio::task::spawn_blocking(move || {
            let runtime = tokio::runtime::Handle::current();
            runtime.block_on(async { refusal(&store, publish("a")).await })
        })
    };
    consumer.heartbeat().unwrap();
    assert_eq!(store.inspect().queues().await.unwrap().len(), 1, "looking needs no lock");
    assert!(!held_up.is_finished());
    foreign.execute_batch("ROLLBACK").unwrap();
    assert!(soon(held_up).await.unwrap().is_none(), "then it was stored");
}

#[tokio::test]
async fn a_foreign_lock_that_stays_is_an_error_and_nothing_is_applied() {
    let options = SqliteOptions { busy_limit: Duration::from_millis(100), ..SqliteOptions::default() };
    let (_folder, store) = store_with(&options);
    let foreign = Connection::open(store.path()).unwrap();
    foreign.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = refusal(&store, publish("a")).await.unwrap();
    assert_eq!((error.code(), error.was_applied()), (Code::DatabaseBusy, Applied::No));
    foreign.execute_batch("ROLLBACK").unwrap();
    send(&store, &["a"]).await;
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    let text = "not a database at all, but long enough to be one\n".repeat(100);
    std::fs::write(&path, &text).unwrap();
    let error = SqliteStore::open(&path, &SqliteOptions::default(), &Clock::real()).unwrap_err();
    assert_eq!(error.code(), Code::NotOurDatabase);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    assert!(!folder.path().join("notes.txt.live").exists());
}

#[tokio::test]
async fn a_store_makes_its_folder_and_no_tree_of_folders() {
    let folder = tempfile::tempdir().unwrap();
    let open =
        |path: &str| SqliteStore::open(folder.path().join(path), &SqliteOptions::default(), &Clock::real());
    open("data/tasks.db").unwrap();
    assert_eq!(open("no/such/tasks.db").unwrap_err().code(), Code::CannotOpenFile);
    assert!(!folder.path().join("no").exists());
}

#[tokio::test]
async fn a_folder_cannot_be_opened() {
    let folder = tempfile::tempdir().unwrap();
    let error = SqliteStore::open(folder.path(), &SqliteOptions::default(), &Clock::real()).unwrap_err();
    assert_eq!(error.code(), Code::CannotOpenFile);
}

#[tokio::test]
async fn a_damaged_file_says_so() {
    let (folder, store) = store();
    send(&store, &["a"]).await;
    Broker::close(&*store, Duration::from_secs(20)).await.unwrap();
    let path = folder.path().join("tasks.db");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[4096..].fill(0xa5);
    std::fs::write(&path, bytes).unwrap();
    let opened = SqliteStore::open(&path, &SqliteOptions::default(), &Clock::real());
    let error = match opened {
        Ok(store) => refusal(&store, publish("b")).await.unwrap(),
        Err(error) => error,
    };
    assert_eq!(error.code(), Code::Corrupt);
}

#[tokio::test]
async fn a_message_that_no_row_can_hold_is_refused_alone() {
    let (_folder, store) = store();
    let body = Bytes::from(vec![0; 512 * 1024 * 1024 + 1]);
    let huge = Publish { message: Message { body, ..message("huge") }, ..publish("huge") };
    let answers = store.publish(vec![publish("a"), huge, publish("b")]).await;
    assert_eq!(answers[1].as_ref().unwrap_err().code(), Code::TooLarge);
    assert!(answers[0].is_ok() && answers[2].is_ok());
    assert!(store.inspect().locate(&id("b")).await.unwrap().is_some());
    assert_eq!(store.inspect().peek(&queue(), 10).await.unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_batch_lets_others_in_between() {
    let (_folder, store) = store();
    let batch: Vec<Publish> = (0..50_000).map(|n| publish(&format!("bulk-{n}"))).collect();
    let bulk = async {
        assert!(store.publish(batch).await.iter().all(Result::is_ok));
        store.inspect().locate(&id("single")).await.unwrap().is_some()
    };
    let single = async {
        cardoon_testkit::eventually("the batch is on its way", crate::common::LIMIT, async || {
            store.inspect().locate(&id("bulk-0")).await.unwrap().is_some()
        })
        .await;
        send(&store, &["single"]).await;
        store.inspect().locate(&id("bulk-49999")).await.unwrap().is_none()
    };
    assert_eq!(soon(async { tokio::join!(bulk, single) }).await, (true, true));
}

#[tokio::test]
async fn a_path_that_is_too_long_for_a_socket_does() {
    let folder = tempfile::tempdir().unwrap();
    let deep = folder.path().join("a-folder-with-a-long-name/".repeat(6));
    std::fs::create_dir_all(&deep).unwrap();
    let deep = deep.join("tasks.db");
    let options = SqliteOptions { safety_net: None, ..SqliteOptions::default() };
    let store = SqliteStore::open(deep, &options, &Clock::real()).unwrap();
    let consumer = store.consume(spec()).await.unwrap();
    let (taken, ()) = soon(async { tokio::join!(consumer.claim(1), send(&store, &["a"])) }).await;
    assert_eq!(taken.unwrap().len(), 1);
}
