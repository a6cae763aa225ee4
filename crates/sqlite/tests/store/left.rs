//! What a worker leaves to others because only they know it.

use std::time::Duration;

use cardoon_broker::{Broker, Publish};
use cardoon_core::Message;
use cardoon_sqlite::SqliteStore;

use crate::common::{claim, id, message, publish, queue, send, soon, spec, store, store_on_manual_clock};

const NEW: &str = "only.new.workers.know.it";

async fn send_new(store: &SqliteStore, names: &[&str]) {
    let message = |name| Message { task: NEW.into(), ..message(name) };
    let batch = names.iter().map(|name| Publish { message: message(name), ..publish(name) });
    for answer in store.publish(batch.collect()).await {
        answer.unwrap();
    }
}

#[tokio::test]
async fn what_only_others_know_stays_in_its_queue_in_its_order() {
    let (_folder, store) = store();
    let old = store.consume(spec()).await.unwrap();
    old.leave_to_others(&queue(), NEW);
    send_new(&store, &["a"]).await;
    send(&store, &["b"]).await;
    send_new(&store, &["c"]).await;
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
    let (manual, _folder, store) = store_on_manual_clock();
    let old = store.consume(spec()).await.unwrap();
    old.leave_to_others(&queue(), NEW);
    send_new(&store, &["a"]).await;
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

/// They are put off then, which brings what stands behind them nearer.
#[tokio::test]
async fn so_many_of_them_that_nothing_else_is_in_sight_are_taken_after_all() {
    let (_folder, store) = store();
    let old = store.consume(spec()).await.unwrap();
    old.leave_to_others(&queue(), NEW);
    let names: Vec<String> = (0..1024).map(|n| format!("new-{n}")).collect();
    send_new(&store, &names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    send(&store, &["behind"]).await;
    let taken = soon(old.claim(2)).await.unwrap();
    assert_eq!([&taken[0].message.id, &taken[1].message.id], [&id("new-0"), &id("new-1")]);
    assert_eq!(soon(old.claim(1)).await.unwrap()[0].message.id, id("behind"), "it is in sight now");
}
