//! The ways to a server: logins, sockets, sentinels, and servers that are not let in.

use cardoon_broker::{Broker, LeaseKind, Settled};
use cardoon_errors::{Code, Error, Result};
use cardoon_redis::{RedisAddress, RedisOptions, RedisStore};
use cardoon_results::ResultBackend;
use cardoon_runtime::Clock;
use cardoon_testkit::{RedisOptions as ServerOptions, RedisServer, Sentinel, eventually};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

use crate::common::{LIMIT, id, join, publish, send, settle, soon, success, take, take_at_last};

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
async fn a_server_whose_certificate_is_trusted_is_reached_over_tls() {
    let options = ServerOptions::default().tls().user("ann", "on >s3cret ~* &* +@all");
    let server = RedisServer::start_with(options).await.unwrap();
    works(&server.tls_url()).await;
    works(&server.tls_url().replace("rediss://", "valkeys://ann:s3cret@")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_is_not_trusted_ends_the_connection_before_the_login() {
    let server = RedisServer::start_with(ServerOptions::default().tls()).await.unwrap();
    let other = RedisServer::start_with(ServerOptions::default().tls()).await.unwrap();
    let trusting = |authority: &std::path::Path| {
        let url = server.tls_url_without_trust().replace("rediss://", "rediss://:s3cret@");
        format!("{url}?ssl_ca_certs={}", authority.display())
    };
    for url in [server.tls_url_without_trust(), trusting(&other.authority())] {
        let error = connect(&url).await.err().unwrap();
        assert_eq!(error.code(), Code::RedisCertificate, "{error:?}");
        assert!(told(&error).contains("UnknownIssuer") && !told(&error).contains("s3cret"), "{error:?}");
    }
    let by_another_name = server.tls_url().replace("127.0.0.1", "127.0.0.2");
    let error = connect(&by_another_name).await.err().unwrap();
    assert!([Code::Unreachable, Code::RedisCertificate].contains(&error.code()), "{error:?}");
    let error = connect(&trusting("/no/such/file".as_ref())).await.err().unwrap();
    assert_eq!(error.code(), Code::BadUrl);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_without_tls_is_told_at_once() {
    let server = RedisServer::start().await.unwrap();
    let error = connect(&server.url().replace("redis://", "rediss://")).await.err().unwrap();
    assert!(matches!(error.code(), Code::Unreachable | Code::NoAnswer), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_primary_that_a_sentinel_names_is_followed_over_its_death() {
    let mut primary = RedisServer::start().await.unwrap();
    let options = ServerOptions::default().replica_of(primary.port());
    let replica = RedisServer::start_with(options).await.unwrap();
    let sentinel = Sentinel::watch(&primary, 1).await.unwrap();
    let store = connect(&sentinel.url()).await.unwrap();
    let consumer = join(&store, "one").await;
    send(&store, &["before"]).await;
    let held = take(consumer.as_ref()).await;
    primary.replicated().await.unwrap();
    primary.kill().unwrap();
    sentinel.follows(replica.port()).await.unwrap();
    eventually("the new primary takes it", LIMIT, async || {
        store.publish(vec![publish("after")]).await[0].is_ok()
    })
    .await;
    assert_eq!(take_at_last(consumer.as_ref()).await.message.id, id("after"));
    eventually("the heart follows too", LIMIT, async || consumer.heartbeat().is_ok()).await;
    assert_eq!(settle(consumer.as_ref(), success(&held, 1)).await, Settled::Done);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_primary_that_no_sentinel_knows_is_told() {
    let primary = RedisServer::start().await.unwrap();
    let sentinel = Sentinel::watch(&primary, 0).await.unwrap();
    works(&sentinel.url()).await;
    let error = connect(&sentinel.url().replace("/main/", "/other/")).await.err().unwrap();
    assert_eq!(error.code(), Code::Unreachable);
    assert!(error.to_string().contains("no sentinel"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_too_old_is_refused_by_its_version() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("redis://{}/0", listener.local_addr().unwrap());
    let error = tokio::select! {
        connected = connect(&url) => connected.err().unwrap(),
        ended = answer_as(&listener, "redis_version:6.0.16\r\nrole:master") => panic!("it hung up: {ended:?}"),
    };
    assert_eq!(error.code(), Code::RedisTooOld);
    assert!(error.to_string().contains("6.0"), "{error}");
}

/// Answers one client as a server that says this about itself.
async fn answer_as(listener: &TcpListener, about: &str) -> std::io::Result<()> {
    let mut stream = BufReader::new(listener.accept().await?.0);
    let (mut line, mut words) = (String::new(), 0);
    while stream.read_line(&mut line).await? > 0 {
        let word = line.trim_end().to_owned();
        line.clear();
        match word.as_bytes().first() {
            Some(b'*') => words = 0,
            Some(b'$') => words += 1,
            _ if words == 1 => stream.write_all(answer_to(&word, about).as_bytes()).await?,
            _ => {}
        }
    }
    Ok(())
}

fn answer_to(command: &str, about: &str) -> String {
    match command {
        "HELLO" => "%1\r\n$5\r\nproto\r\n:3\r\n".into(),
        "INFO" => format!("${}\r\n{about}\r\n", about.len()),
        "GET" => "_\r\n".into(),
        _ => "+OK\r\n".into(),
    }
}

fn told(error: &Error) -> String {
    format!("{error:?} {:?} {:?} {:?}", error.findings(), error.next_step(), error.causes())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_told_without_showing_it() {
    let server = RedisServer::start_with(ServerOptions::default().password("right")).await.unwrap();
    let error = connect(&format!("redis://:wr0ng@127.0.0.1:{}", server.port())).await.err().unwrap();
    assert_eq!(error.code(), Code::RedisDenied);
    assert!(!told(&error).contains("wr0ng"), "{error:?}");
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

#[test]
fn a_store_outlives_the_runtime_that_opened_it() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let keeper = runtime();
    let server = keeper.block_on(RedisServer::start()).unwrap();
    let store = runtime().block_on(connect(&server.url())).unwrap();
    let consumer = runtime().block_on(join(&store, "one"));
    runtime().block_on(send(&store, &["a"]));
    assert_eq!(runtime().block_on(take(consumer.as_ref())).message.id, id("a"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_dropped_without_a_goodbye_leaves_no_connection_behind() {
    let server = RedisServer::start().await.unwrap();
    let store = connect(&server.url()).await.unwrap();
    let consumer = join(&store, "one").await;
    send(&store, &["a"]).await;
    take(consumer.as_ref()).await;
    assert!(store.wait(&id("a"), Some(Duration::from_millis(50))).await.unwrap().is_none());
    drop((store, consumer));
    eventually("only the question is left", LIMIT, async || {
        server.command(&["CLIENT", "LIST"]).await.unwrap().trim().lines().count() == 1
    })
    .await;
}
