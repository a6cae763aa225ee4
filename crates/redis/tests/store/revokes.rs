//! Revoking what a worker holds.

use cardoon_broker::{Broker, Revoked, Settle, Settled};
use cardoon_core::settle::Verdict;
use cardoon_testkit::RedisServer;

use crate::common::{id, join, open, send, settle, soon, take};

#[tokio::test(flavor = "multi_thread")]
async fn a_task_whose_worker_lets_go_of_it_as_soon_as_it_is_told_was_held() {
    let server = RedisServer::start().await.unwrap();
    let (of_worker, store) = (open(&server).await, open(&server).await);
    let worker = join(&of_worker, "one").await;
    for round in 0..20 {
        let name = format!("task-{round}");
        send(&store, &[&name]).await;
        let held = take(&*worker).await;
        let obey = async {
            while !soon(worker.revoked()).await.unwrap().contains(&held.message.id) {}
            settle(&*worker, Settle::bare(held.lease, Verdict::Ack)).await
        };
        let (mut answers, settled) = tokio::join!(soon(store.revoke(vec![id(&name)])), obey);
        assert_eq!(settled, Settled::Done);
        assert_eq!(answers.pop().unwrap().unwrap(), Revoked::Held, "{name}");
    }
}
