//! What must hold when files vanish or space runs out.

use std::time::Duration;

use bytes::Bytes;
use cardoon_broker::{Broker, Published};
use cardoon_errors::Code;
use cardoon_results::ResultBackend;
use cardoon_sqlite::SqliteOptions;

use crate::common::{claim, id, publish, send, soon, spec, store, store_on_manual_clock, store_with};

#[tokio::test]
async fn a_worker_that_was_taken_for_dead_claims_nothing_that_nobody_would_rescue() {
    let (folder, store) = store();
    let robbed = store.consume(spec()).await.unwrap();
    for entry in std::fs::read_dir(folder.path().join("tasks.db.live")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|end| end == "worker") {
            std::fs::remove_file(path).unwrap();
        }
    }
    let other = store.consume(spec()).await.unwrap();
    assert_eq!(soon(other.sweep()).await.unwrap().lost_workers, ["w1"]);
    send(&store, &["a"]).await;
    assert_eq!(soon(robbed.claim(1)).await.unwrap_err().code(), Code::LeaseLost);
    assert_eq!(claim(&other, 1).await[0].message.id, id("a"));
}

#[tokio::test]
async fn a_message_that_does_not_fit_on_the_disk_leaves_its_batch_alone() {
    let (_folder, store) =
        store_with(&SqliteOptions { max_bytes: Some(4 * 1024 * 1024), ..SqliteOptions::default() });
    let mut large = publish("large");
    large.message.body = Bytes::from(vec![b'x'; 8 * 1024 * 1024]);
    let answers = store.publish(vec![publish("before"), large, publish("after")]).await;
    assert!(matches!(answers[0], Ok(Published::Stored)), "{answers:?}");
    assert_eq!(answers[1].as_ref().unwrap_err().code(), Code::DiskFull);
    assert!(matches!(answers[2], Ok(Published::Stored)), "{answers:?}");
}

#[tokio::test]
async fn what_has_run_and_has_no_verdict_when_its_worker_leaves_registers_next_time() {
    let (_folder, store) = store();
    send(&store, &["a"]).await;
    let leaving = store.consume(spec()).await.unwrap();
    let lease = claim(&leaving, 1).await[0].lease;
    leaving.mark_started(lease);
    leaving.mark_ended(lease);
    soon(leaving.close()).await.unwrap();
    let next = store.consume(spec()).await.unwrap();
    assert!(claim(&next, 1).await[0].must_register(), "two runs would have the same number");
}

#[tokio::test]
async fn who_waits_is_told_that_the_file_is_gone() {
    let (folder, store) = store();
    send(&store, &["a"]).await;
    let consumer = store.consume(spec()).await.unwrap();
    claim(&consumer, 1).await;
    let a = id("a");
    let (result, claimed, ()) = soon(async {
        tokio::join!(store.wait(&a, None), consumer.claim(1), async {
            std::fs::remove_file(folder.path().join("tasks.db")).unwrap();
        })
    })
    .await;
    assert_eq!(result.unwrap_err().code(), Code::FileGone);
    assert_eq!(claimed.unwrap_err().code(), Code::FileGone);
}

#[tokio::test]
async fn a_worker_whose_own_heartbeat_is_held_up_takes_nothing_from_a_silent_one() {
    let (manual, _folder, store) = store_on_manual_clock();
    send(&store, &["a"]).await;
    let silent = store.consume(spec()).await.unwrap();
    claim(&silent, 1).await;
    let rescuer = store.consume(spec()).await.unwrap();
    // The disk takes no writes, and what is read is in memory: sweeps go on, heartbeats do not.
    for _ in 0..60 {
        manual.advance(Duration::from_millis(500));
        assert_eq!(soon(rescuer.sweep()).await.unwrap().requeued, []);
    }
    for _ in 0..60 {
        rescuer.heartbeat().unwrap();
        silent.heartbeat().unwrap();
        manual.advance(Duration::from_millis(500));
        assert_eq!(soon(rescuer.sweep()).await.unwrap().requeued, []);
    }
}
