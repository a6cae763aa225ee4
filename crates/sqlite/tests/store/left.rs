//! What a worker leaves to others because only they know it.

use std::time::Duration;

use cardoon_broker::{Broker, Publish};
use cardoon_core::Timestamp;
use cardoon_runtime::{Clock, ManualClock};
use cardoon_sqlite::{SqliteOptions, SqliteStore};

use crate::common::{claim, id, message, publish, queue, send, soon, spec, store};

const NEW: &str = "only.new.workers.know.it";

async fn send_new(store: &SqliteStore, name: &str) {
    let message = cardoon_core::Message { task: NEW.into(), ..message(name) };
    store.publish(vec![Publish { message, ..publish(name) }]).await.pop().unwrap().unwrap();
}

#[tokio::test]
async fn what_only_others_know_stays_in_its_queue_in_its_order() {
    let (_folder, store) = store();
    let old = store.consume(spec()).await.unwrap();
    old.leave_to_others(&queue(), NEW);
    send_new(&store, "a").await;
    send(&store, &["b"]).await;
    send_new(&store, "c").await;
    send(&store, &["d"]).await;
    for name in ["b", "d"] {
        assert_eq!(soon(old.claim(1)).await.unwrap()[0].message.id, id(name));
    }
    let (woken, ()) = soon(async { tokio::join!(old.claim(8), send(&store, &["e"])) }).await;
    assert_eq!(woken.unwrap()[0].message.id, id("e"), "it waits, and wakes for others");
    let new = store.consume(spec()).await.unwrap();
    let taken = claim(&new, 2).await;
    assert_eq!([&taken[0].message.id, &taken[1].message.id], [&id("a"), &id("c")]);
}

/// Else nobody would ever find out that those who knew it are gone.
#[tokio::test]
async fn what_was_left_to_others_is_claimed_again_after_a_while() {
    let manual = ManualClock::new(Timestamp(1_800_000_000_000));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tasks.db");
    let store = SqliteStore::open(path, &SqliteOptions::default(), &Clock::manual(&manual)).unwrap();
    let old = store.consume(spec()).await.unwrap();
    old.leave_to_others(&queue(), NEW);
    send_new(&store, "a").await;
    let mut waiting = old.claim(1);
    let early = tokio::time::timeout(Duration::from_millis(200), &mut waiting).await;
    assert!(early.is_err(), "it is left to others");
    let taken = soon(async {
        loop {
            manual.advance(Duration::from_secs(1));
            if let Ok(taken) = tokio::time::timeout(Duration::from_millis(5), &mut waiting).await {
                return taken;
            }
        }
    });
    assert_eq!(taken.await.unwrap()[0].message.id, id("a"));
}
