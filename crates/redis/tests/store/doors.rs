//! The ways to a server: logins, sockets, sentinels, and servers that are not let in.

use cardoon_broker::{Broker, LeaseKind};
use cardoon_errors::{Code, Result};
use cardoon_redis::{RedisAddress, RedisOptions, RedisStore};
use cardoon_runtime::Clock;
use cardoon_testkit::{RedisOptions as ServerOptions, RedisServer};
use std::sync::Arc;

use crate::common::{id, join, publish, send, soon, take};

async fn connect(url: &str) -> Result<Arc<RedisStore>> {
    let address = RedisAddress::parse(url)?;
    soon(RedisStore::connect(&address, &RedisOptions::default(), &Clock::real())).await
}

async fn works(url: &str) {
    let store = connect(url).await.unwrap();
    let consumer = join(&store, "one").await;
    send(&store, &["a"]).await;
    assert_eq!(take(consumer.as_ref()).await.message.id, id("a"), "{url}");
    consumer.heartbeat().unwrap();
    soon(consumer.close()).await.unwrap();
    store.inspect().purge(&crate::common::queue("mail")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn each_door_of_a_server_leads_to_it() {
    let user = "on >s3cret ~* &* +@all";
    let options = ServerOptions::default().unix_socket().password("p@ss").user("ann", user);
    let server = RedisServer::start_with(options).await.unwrap();
    let port = server.port();
    works(&format!("redis://:p%40ss@127.0.0.1:{port}/0")).await;
    works(&format!("valkey://ann:s3cret@127.0.0.1:{port}/3")).await;
    works(&format!("redis+socket://:p%40ss@{}?db=2", server.socket().display())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_told_without_showing_it() {
    let server = RedisServer::start_with(ServerOptions::default().password("right")).await.unwrap();
    let error = connect(&format!("redis://:wr0ng@127.0.0.1:{}", server.port())).await.err().unwrap();
    assert_eq!(error.code(), Code::RedisDenied);
    let text = format!("{error:?} {:?} {:?} {:?}", error.findings(), error.next_step(), error.causes());
    assert!(!text.contains("wr0ng"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_there_is_told_at_once() {
    let error = connect("redis://127.0.0.1:1/0").await.err().unwrap();
    assert_eq!(error.code(), Code::Unreachable);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_is_refused() {
    let primary = RedisServer::start().await.unwrap();
    let replica = RedisServer::start_with(ServerOptions::default().replica_of(primary.port())).await.unwrap();
    assert_eq!(connect(&replica.url()).await.err().unwrap().code(), Code::RedisReadOnly);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_a_newer_layout_are_refused() {
    let server = RedisServer::start().await.unwrap();
    server.command(&["SET", "cardoon:layout", "999"]).await.unwrap();
    assert_eq!(connect(&server.url()).await.err().unwrap().code(), Code::RedisNewerLayout);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_without_channels_and_tracking_still_executes_tasks() {
    let options =
        ServerOptions::default().user("bob", "on >pw ~* resetchannels +@all -client|tracking -pubsub");
    let server = RedisServer::start_with(options).await.unwrap();
    let store = connect(&server.url_of("bob", "pw")).await.unwrap();
    assert_eq!(store.capabilities().lease, LeaseKind::Expiring);
    assert!(!store.capabilities().blocking_claim);
    let consumer = join(&store, "one").await;
    let (taken, ()) = tokio::join!(take(consumer.as_ref()), send(&store, &["a"]));
    assert_eq!(taken.message.id, id("a"));
    consumer.sweep().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_right_that_is_taken_away_is_named_and_its_return_is_enough() {
    let server =
        RedisServer::start_with(ServerOptions::default().user("bob", "on >pw ~* &* +@all")).await.unwrap();
    let store = connect(&server.url_of("bob", "pw")).await.unwrap();
    let consumer = join(&store, "one").await;
    server.command(&["ACL", "SETUSER", "bob", "-lpush"]).await.unwrap();
    let error = store.publish(vec![publish("a")]).await.pop().unwrap().unwrap_err();
    assert_eq!(error.code(), Code::RedisDenied);
    server.command(&["ACL", "SETUSER", "bob", "+lpush", "-ltrim"]).await.unwrap();
    send(&store, &["a"]).await;
    assert_eq!(soon(consumer.claim(1)).await.unwrap_err().code(), Code::RedisDenied);
    server.command(&["ACL", "SETUSER", "bob", "+ltrim"]).await.unwrap();
    let delivery = take(consumer.as_ref()).await;
    assert_eq!(delivery.message.id, id("a"));
}
