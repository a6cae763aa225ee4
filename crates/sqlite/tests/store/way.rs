use std::time::Duration;

use cardoon_broker::{Broker, Published, Settled};
use cardoon_core::TaskState;
use cardoon_errors::Code;
use cardoon_results::ResultBackend;
use cardoon_runtime::Clock;
use cardoon_sqlite::{Retention, SqliteOptions, SqliteStore};

use crate::common::{claim, done, id, publish, send, soon, spec, store, store_with};

#[tokio::test]
async fn a_task_goes_from_publish_to_its_result() {
    let (_folder, store) = store();
    send(&store, &["a", "b"]).await;
    let consumer = store.consume(spec()).await.unwrap();
    let taken = claim(&consumer, 2).await;
    assert_eq!(taken[0].message, publish("a").message);
    let answers = consumer.settle(taken.iter().map(done).collect()).await;
    assert!(answers.iter().all(|answer| matches!(answer, Ok(Settled::Done))));
    let record = soon(store.wait(&id("a"), None)).await.unwrap().unwrap();
    assert_eq!(record.state, TaskState::Success);
    assert_eq!(store.publish(vec![publish("a")]).await.pop().unwrap().unwrap(), Published::Duplicate);
    assert!(store.inspect().queues().await.unwrap().iter().all(|queue| queue.held + queue.ready == 0));
}

#[tokio::test]
async fn a_waiting_claim_wakes_for_a_message_that_comes() {
    let (_folder, store) = store();
    let consumer = store.consume(spec()).await.unwrap();
    let waiting = soon(async { tokio::join!(consumer.claim(5), send(&store, &["late"])) }).await.0;
    assert_eq!(waiting.unwrap()[0].message.id, id("late"));
}

#[tokio::test]
async fn a_closed_store_answers_nothing_but_that_and_leaves_others_alone() {
    let (folder, store) = store();
    let path = folder.path().join("tasks.db");
    let other = SqliteStore::open(&path, &SqliteOptions::default(), &Clock::real()).unwrap();
    Broker::close(&*store, Duration::from_secs(5)).await.unwrap();
    let refused = store.publish(vec![publish("a")]).await.pop().unwrap().unwrap_err();
    assert_eq!(refused.code(), Code::StoreClosed);
    send(&other, &["a"]).await;
    Broker::close(&*other, Duration::from_secs(5)).await.unwrap();
    assert!(!folder.path().join("tasks.db-wal").exists(), "the last one to leave tidies up");
}

#[tokio::test]
async fn what_is_kept_for_ever_is_not_old() {
    let for_ever = Retention {
        results: Duration::MAX,
        history: Duration::MAX,
        dead_letters: Duration::MAX,
        events: Duration::MAX,
    };
    let (_folder, store) = store_with(&SqliteOptions { retention: for_ever, ..SqliteOptions::default() });
    send(&store, &["a"]).await;
    let consumer = store.consume(spec()).await.unwrap();
    let taken = claim(&consumer, 1).await;
    consumer.settle(taken.iter().map(done).collect()).await.pop().unwrap().unwrap();
    let record = store.get(&[id("a")]).await.unwrap().pop().unwrap().expect("it is kept");
    assert_eq!(record.state, TaskState::Success);
}
