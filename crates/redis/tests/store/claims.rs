//! Claims that go on when nobody waits for them, and those of which several are under way.

use std::collections::HashSet;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};

use cardoon_broker::{Broker, Consumer};
use cardoon_testkit::{RedisServer, eventually};

use crate::common::{LIMIT, id, join, open, queue, send, soon, take};

/// Begins a claim that nobody waits for.
fn begin(consumer: &dyn Consumer, max: usize) {
    let claim = pin!(consumer.claim(max));
    let _ = claim.poll(&mut Context::from_waker(Waker::noop()));
}

/// How often the server was asked whether something exists: each look asks it of the lists, each claim of the revokes.
async fn looks(server: &RedisServer) -> u64 {
    let stats = server.command(&["INFO", "commandstats"]).await.unwrap();
    let exists = stats.lines().find_map(|line| line.strip_prefix("cmdstat_exists:calls="));
    exists.and_then(|rest| rest.split_once(',')?.0.parse().ok()).unwrap_or(0)
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("task-{number}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_after_the_look_of_a_dropped_claim_wakes_the_next_one() {
    let server = RedisServer::start().await.unwrap();
    let store = open(&server).await;
    let consumer = join(&store, "one").await;
    for round in 0..20 {
        server.command(&["CONFIG", "RESETSTAT"]).await.unwrap();
        // One that gets less than it asks for is followed by one that looks.
        begin(consumer.as_ref(), 2);
        eventually("the server has looked", LIMIT, async || looks(&server).await >= 2).await;
        let name = format!("task-{round}");
        send(&store, &[&name]).await;
        // Time for the answers and the ring to come.
        store.inspect().locate(&id(&name)).await.unwrap();
        assert_eq!(soon(consumer.claim(2)).await.unwrap()[0].message.id, id(&name));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn plenty_is_claimed_in_the_order_in_which_it_was_sent() {
    let server = RedisServer::start().await.unwrap();
    let store = open(&server).await;
    let consumer = join(&store, "one").await;
    let names = names(3000);
    send(&store, &names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let mut taken = Vec::new();
    while taken.len() < names.len() {
        let left = names.len() - taken.len();
        let some = soon(consumer.claim(left)).await.unwrap();
        assert!(!some.is_empty() && some.len() <= left);
        taken.extend(some.into_iter().map(|delivery| delivery.message.id.to_string()));
    }
    assert_eq!(taken, names);
    let (woken, ()) = tokio::join!(take(consumer.as_ref()), send(&store, &["last"]));
    assert_eq!(woken.message.id, id("last"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_claims_take_that_are_under_way_when_a_consumer_leaves_is_handed_back() {
    let server = RedisServer::start().await.unwrap();
    let store = open(&server).await;
    let names = names(2000);
    send(&store, &names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    for _ in 0..5 {
        let consumer = join(&store, "leaver").await;
        assert_eq!(soon(consumer.claim(10)).await.unwrap().len(), 10);
        begin(consumer.as_ref(), 500);
        soon(consumer.close()).await.unwrap();
        drop(consumer);
        eventually("nothing is held", LIMIT, async || {
            server.command(&["LLEN", "mail"]).await.unwrap() == names.len().to_string()
        })
        .await;
    }
    let waiting = store.inspect().peek(&queue("mail"), names.len()).await.unwrap();
    let waiting: HashSet<String> = waiting.iter().map(|waiting| waiting.message.id.to_string()).collect();
    assert_eq!(waiting.len(), names.len());
}
