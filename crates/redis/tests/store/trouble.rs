//! Servers in trouble: nothing is lost, the error says what it is, and all goes on when the trouble is over.

use std::time::Duration;

use cardoon_broker::{Broker, Publish, Settled};
use cardoon_core::{TaskFilter, TaskState};
use cardoon_errors::{Applied, Code};
use cardoon_redis::RedisOptions;
use cardoon_results::ResultBackend;
use cardoon_runtime::Clock;
use cardoon_testkit::{AppendOnly, RedisServer, eventually};

use crate::common::{
    LIMIT, id, join, join_queues, open, open_with, publish, queue, send, settle, soon, spec, success, take,
    take_at_last,
};

/// What a server that works answers within, also on a busy machine, and a test can wait for in vain.
const ANSWERED: Duration = Duration::from_secs(2);

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_forgot_the_scripts_is_given_them_again() {
    let server = RedisServer::start().await.unwrap();
    let store = open(&server).await;
    let consumer = join(&store, "one").await;
    for name in ["a", "b"] {
        server.command(&["SCRIPT", "FLUSH"]).await.unwrap();
        send(&store, &[name]).await;
        let delivery = take(consumer.as_ref()).await;
        server.command(&["SCRIPT", "FLUSH"]).await.unwrap();
        assert_eq!(settle(consumer.as_ref(), success(&delivery, 1)).await, Settled::Done);
        server.command(&["SCRIPT", "FLUSH"]).await.unwrap();
        consumer.heartbeat().unwrap();
        consumer.sweep().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_key_of_one_queue_leaves_the_other_queues_alone() {
    let server = RedisServer::start().await.unwrap();
    let store = open(&server).await;
    let consumer = join_queues(&store, "one", &["wrong", "mail"]).await;
    server.command(&["SET", "wrong", "a text"]).await.unwrap();
    let refused = Publish { queue: queue("wrong"), ..publish("refused") };
    let answers = store.publish(vec![refused, publish("a")]).await;
    assert_eq!(answers[0].as_ref().unwrap_err().code(), Code::RedisWrongType);
    assert!(answers[1].is_ok());
    assert_eq!(take(consumer.as_ref()).await.message.id, id("a"));
    let (woken, ()) = tokio::join!(take(consumer.as_ref()), send(&store, &["b"]));
    assert_eq!(woken.message.id, id("b"), "it goes on to wait for the good queue");
    assert_eq!(server.command(&["GET", "wrong"]).await.unwrap(), "a text", "nothing of it was changed");
    server.command(&["DEL", "wrong"]).await.unwrap();
    let accepted = Publish { queue: queue("wrong"), ..publish("c") };
    assert!(store.publish(vec![accepted]).await[0].is_ok());
    assert_eq!(take(consumer.as_ref()).await.message.id, id("c"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_would_stand_in_a_key_of_the_store_is_refused() {
    let server = RedisServer::start().await.unwrap();
    let store = open(&server).await;
    // Another program may have named such a queue all the same.
    server.command(&["SADD", "cardoon:queues", "cardoon:queues"]).await.unwrap();
    for name in ["cardoon:queues", "_kombu.binding.celery"] {
        let queue = queue(name);
        let refused = Publish { queue: queue.clone(), ..publish("refused") };
        let answers = store.publish(vec![refused, publish(name)]).await;
        assert_eq!(answers[0].as_ref().unwrap_err().code(), Code::BadName);
        assert!(answers[1].is_ok());
        assert_eq!(store.consume(spec("one", &[name])).await.err().unwrap().code(), Code::BadName);
        let (inspect, control) = (store.inspect(), store.control());
        assert_eq!(inspect.peek(&queue, 1).await.unwrap_err().code(), Code::BadName);
        assert_eq!(inspect.purge(&queue).await.unwrap_err().code(), Code::BadName);
        assert_eq!(control.pause(&queue).await.unwrap_err().code(), Code::BadName);
        let of_it = TaskFilter { queue: Some(queue), ..TaskFilter::default() };
        assert_eq!(inspect.waiting(&of_it, None, 1).await.unwrap_err().code(), Code::BadName);
    }
    let waiting = store.inspect().waiting(&TaskFilter::default(), None, 10).await.unwrap();
    assert_eq!(waiting.items.len(), 2, "what waits in other queues is listed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_key_of_ours_is_a_coded_error_and_nothing_is_lost() {
    let server = RedisServer::start().await.unwrap();
    let store = open(&server).await;
    let consumer = join(&store, "one").await;
    send(&store, &["a"]).await;
    server.command(&["SET", "cardoon:delayed", "a text"]).await.unwrap();
    let error = soon(consumer.claim(1)).await.unwrap_err();
    assert_eq!(error.code(), Code::RedisWrongType);
    assert_eq!(server.command(&["LLEN", "mail"]).await.unwrap(), "1");
    server.command(&["DEL", "cardoon:delayed"]).await.unwrap();
    assert_eq!(take(consumer.as_ref()).await.message.id, id("a"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_key_does_not_keep_what_dead_workers_held_of_other_queues_from_being_saved() {
    let server = RedisServer::start().await.unwrap();
    let store = open(&server).await;
    let rescuer = join(&store, "rescuer").await;
    let saves = async |name: &str| {
        soon(async {
            while !rescuer.sweep().await.unwrap().requeued.contains(&id(name)) {
                Clock::real().sleep(Duration::from_millis(50)).await;
            }
        })
        .await;
    };
    let one = join_queues(&store, "one", &["wrong"]).await;
    let other = join_queues(&store, "other", &["mail"]).await;
    let first = Publish { queue: queue("wrong"), ..publish("a") };
    store.publish(vec![first, publish("b")]).await.into_iter().for_each(|published| _ = published.unwrap());
    assert_eq!(take(one.as_ref()).await.message.id, id("a"));
    assert_eq!(take(other.as_ref()).await.message.id, id("b"));
    server.command(&["SET", "wrong", "a text"]).await.unwrap();
    drop((one, other));
    saves("b").await;
    server.command(&["DEL", "wrong"]).await.unwrap();
    saves("a").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_server_refuses_messages_and_is_drained() {
    let server = RedisServer::start().await.unwrap();
    let store = open(&server).await;
    let consumer = join(&store, "one").await;
    send(&store, &["a", "b"]).await;
    server.command(&["CONFIG", "SET", "maxmemory", "1"]).await.unwrap();
    let refused = store.publish(vec![publish("c")]).await.pop().unwrap().unwrap_err();
    assert_eq!((refused.code(), refused.was_applied()), (Code::RedisFull, Applied::No));
    for name in ["a", "b"] {
        let delivery = take(consumer.as_ref()).await;
        assert_eq!(delivery.message.id, id(name));
        consumer.heartbeat().unwrap();
        assert_eq!(settle(consumer.as_ref(), success(&delivery, 1)).await, Settled::Done);
    }
    server.command(&["CONFIG", "SET", "maxmemory", "0"]).await.unwrap();
    send(&store, &["d"]).await;
    assert_eq!(take(consumer.as_ref()).await.message.id, id("d"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_became_a_replica_is_not_written_to_until_it_is_the_primary_again() {
    let server = RedisServer::start().await.unwrap();
    let store = open(&server).await;
    let consumer = join(&store, "one").await;
    send(&store, &["a"]).await;
    let delivery = take(consumer.as_ref()).await;
    server.command(&["REPLICAOF", "127.0.0.1", "1"]).await.unwrap();
    let refused = store.publish(vec![publish("b")]).await.pop().unwrap().unwrap_err();
    assert_eq!((refused.code(), refused.was_applied()), (Code::RedisReadOnly, Applied::No));
    let refused = consumer.settle(vec![success(&delivery, 1)]).await.pop().unwrap().unwrap_err();
    assert_eq!(refused.code(), Code::RedisReadOnly);
    assert_eq!(consumer.heartbeat().unwrap_err().code(), Code::RedisReadOnly);
    server.command(&["REPLICAOF", "NO", "ONE"]).await.unwrap();
    assert_eq!(settle(consumer.as_ref(), success(&delivery, 1)).await, Settled::Done);
    consumer.heartbeat().unwrap();
    send(&store, &["c"]).await;
    assert_eq!(take(consumer.as_ref()).await.message.id, id("c"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restarted_server_is_found_again_by_those_who_wait() {
    let append = cardoon_testkit::RedisOptions::default().append_only(AppendOnly::Always);
    let mut server = RedisServer::start_with(append).await.unwrap();
    let options = RedisOptions { safety_net: None, ..RedisOptions::default() };
    let store = open_with(&server, &options).await;
    let consumer = join(&store, "one").await;
    send(&store, &["held", "waiting"]).await;
    let held = take(consumer.as_ref()).await;
    let task = id("held");
    let wait = store.wait(&task, None);
    server.kill().unwrap();
    server.restart().await.unwrap();
    assert_eq!(take_at_last(consumer.as_ref()).await.message.id, id("waiting"));
    let settled = async {
        loop {
            match consumer.settle(vec![success(&held, 1)]).await.pop().unwrap() {
                Ok(settled) => return settled,
                Err(_) => Clock::real().sleep(Duration::from_millis(20)).await,
            }
        }
    };
    let (result, settled) = soon(async { tokio::join!(wait, settled) }).await;
    assert_eq!((result.unwrap().unwrap().state, settled), (TaskState::Success, Settled::Done));
    let (woken, ()) = tokio::join!(take_at_last(consumer.as_ref()), async {
        eventually("the server takes it", LIMIT, async || {
            store.publish(vec![publish("new")]).await[0].is_ok()
        })
        .await;
    });
    assert_eq!(woken.message.id, id("new"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_lost_its_data_is_joined_again() {
    let mut server = RedisServer::start().await.unwrap();
    let store = open(&server).await;
    let consumer = join(&store, "one").await;
    let lost = consumer.session();
    server.kill().unwrap();
    server.restart().await.unwrap();
    eventually("it joins again", LIMIT, async || {
        _ = consumer.heartbeat();
        store.inspect().members().await.is_ok_and(|members| members.len() == 1)
    })
    .await;
    assert!(consumer.session() > lost);
    eventually("the server takes it", LIMIT, async || store.publish(vec![publish("a")]).await[0].is_ok())
        .await;
    let delivery = take_at_last(consumer.as_ref()).await;
    assert_eq!(delivery.lease.session, consumer.session());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_claim_took_whose_answer_was_lost_is_handed_out_by_the_next_one() {
    let server = RedisServer::start().await.unwrap();
    let options = RedisOptions { limit: ANSWERED, ..RedisOptions::default() };
    let sender = open(&server).await;
    let store = open_with(&server, &options).await;
    let consumer = join(&store, "one").await;
    send(&sender, &["first"]).await;
    take(consumer.as_ref()).await;
    send(&sender, &["a", "b"]).await;
    server.pause().unwrap();
    let error = soon(consumer.claim(2)).await.unwrap_err();
    assert_eq!((error.code(), error.was_applied()), (Code::NoAnswer, Applied::Unknown));
    server.resume().unwrap();
    let mut taken = Vec::new();
    while taken.len() < 2 {
        taken.push(take_at_last(consumer.as_ref()).await);
    }
    let mut ids: Vec<_> = taken.iter().map(|delivery| delivery.message.id.as_str().to_owned()).collect();
    ids.sort();
    assert_eq!(ids, ["a", "b"], "each once");
    for delivery in &taken {
        assert_eq!(settle(consumer.as_ref(), success(delivery, 1)).await, Settled::Done);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operation_on_a_server_that_does_not_answer_ends_at_its_limit() {
    let server = RedisServer::start().await.unwrap();
    let options = RedisOptions { limit: ANSWERED, ..RedisOptions::default() };
    let store = open_with(&server, &options).await;
    send(&store, &["first"]).await;
    server.pause().unwrap();
    let error = soon(store.publish(vec![publish("a")])).await.pop().unwrap().unwrap_err();
    assert_eq!((error.code(), error.was_applied()), (Code::NoAnswer, Applied::Unknown));
    assert!(soon(store.get(&[id("a")])).await.is_err());
    server.resume().unwrap();
    eventually("it answers again", LIMIT, async || store.get(&[id("a")]).await.is_ok()).await;
}
