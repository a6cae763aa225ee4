//! Is it running, do address and port agree, do both speak the same?

use cardoon_doctor::Surroundings;
use cardoon_errors::{Code, Severity};
use cardoon_runtime::Clock;
use cardoon_testkit::{RedisOptions, RedisServer, Sentinel};

use crate::support::{
    bad, dead_port, findings, findings_in, lasting, of, other_service, server, the_error, with_servers,
};

fn at(port: u16) -> String {
    format!("redis://127.0.0.1:{port}/0")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_running_is_named() {
    let found = findings(&at(dead_port().await)).await;
    let (check, code, text) = the_error(&found);
    assert_eq!((check, code), ("running", Code::Unreachable));
    assert!(text.contains("refused") && text.contains("redis-server"), "{text}");
    assert_eq!(of(&found, "queues").severity(), Severity::Unchecked);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_port_is_named_with_the_right_one() {
    let (server, wrong) = (server().await, dead_port().await);
    let surroundings = with_servers(&[wrong, server.port()]);
    let (check, code, text) = the_error(&findings_in(&at(wrong), &surroundings, &Clock::real()).await);
    assert_eq!((check, code), ("address", Code::WrongPort));
    let advice =
        format!("if it is yours, write its port into the URL: redis://127.0.0.1:{}/0", server.port());
    assert!(text.contains(&advice), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_must_be_written_otherwise_in_a_url_is_named_and_not_shown() {
    for url in ["redis://:s3cret/s3cret@db:6379/0", "redis://:s3cret?s3cret@db", "redis://:s3cret%zz@db"] {
        let (check, code, text) = the_error(&findings(url).await);
        assert_eq!((check, code), ("url", Code::BadUrl));
        assert!(text.contains("/ is %2F") && text.contains("% is %25"), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_where_another_service_answers_is_named_with_its_words() {
    let port = other_service("HTTP/1.1 400 Bad Request\r\n\r\n").await;
    let (check, code, text) = the_error(&findings(&at(port)).await);
    assert_eq!((check, code), ("address", Code::OtherService));
    assert!(text.contains("it answers: HTTP/1.1 400 Bad Request"), "{text}");

    let server = server().await;
    let surroundings = with_servers(&[server.port()]);
    let (_, code, text) = the_error(&findings_in(&at(port), &surroundings, &Clock::real()).await);
    assert_eq!(code, Code::WrongPort);
    assert!(text.contains("HTTP/1.1") && text.contains(&server.port().to_string()), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_nobody_knows_is_named() {
    let (check, code, text) = the_error(&findings("redis://:s3cret@no-such-host.invalid:6379/0").await);
    assert_eq!((check, code), ("name", Code::NameNotFound));
    assert!(text.contains("no-such-host.invalid"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn localhost_inside_of_a_container_is_named() {
    let url = at(dead_port().await);
    let mut surroundings = Surroundings::default();
    surroundings.redis.container = Some("/.dockerenv".into());
    let (check, code, text) = the_error(&findings_in(&url, &surroundings, &Clock::real()).await);
    assert_eq!((check, code), ("running", Code::OwnContainer));
    assert!(text.contains("a container: /.dockerenv"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_on_one_side_only_is_named_whichever_side_it_is() {
    let server = RedisServer::start_with(lasting().tls()).await.unwrap();
    let plain_client = server.tls_url_without_trust().replace("rediss://", "redis://");
    let (check, code, text) = the_error(&findings(&plain_client).await);
    assert_eq!((check, code), ("tls", Code::RedisTls));
    assert!(text.contains("hint: write rediss://"), "{text}");

    let (check, code, text) = the_error(&findings(&server.url().replace("redis://", "rediss://")).await);
    assert_eq!((check, code), ("tls", Code::RedisTls));
    assert!(text.contains("hint: write redis://"), "{text}");

    assert_eq!(bad(&findings(&server.tls_url()).await), [], "with TLS on both sides all is well");
    let (check, code, _) = the_error(&findings(&server.tls_url_without_trust()).await);
    assert_eq!((check, code), ("tls", Code::RedisCertificate));
}

#[tokio::test(flavor = "multi_thread")]
async fn protected_mode_is_named() {
    let address = own_address();
    let options = lasting().setting("bind", &format!("127.0.0.1 {address}")).setting("protected-mode", "yes");
    let server = RedisServer::start_with(options).await.unwrap();
    assert_eq!(bad(&findings(&server.url()).await), [], "over loopback it lets us in");
    let found = findings(&format!("redis://{address}:{}/0", server.port())).await;
    let (check, code, text) = the_error(&found);
    assert_eq!((check, code), ("login", Code::RedisProtected));
    assert!(text.contains("requirepass"), "{text}");
}

/// An address of this machine that is not loopback. Nothing is sent to find it.
fn own_address() -> std::net::IpAddr {
    let socket = std::net::UdpSocket::bind("0.0.0.0:0").unwrap();
    socket.connect("203.0.113.1:9").expect("this test needs a network interface besides loopback");
    socket.local_addr().unwrap().ip()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stands_still_is_named_in_time() {
    let server = server().await;
    server.pause().unwrap();
    let (check, code, _) = the_error(&findings(&server.url()).await);
    server.resume().unwrap();
    assert_eq!((check, code), ("address", Code::NoAnswer));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_primary_that_a_sentinel_names_is_examined() {
    let primary = RedisServer::start_with(RedisOptions::default()).await.unwrap();
    let sentinel = Sentinel::watch(&primary, 0).await.unwrap();
    let found = findings(&sentinel.url()).await;
    assert!(of(&found, "sentinel").sentence().contains(&primary.port().to_string()), "{found:#?}");
    assert_eq!(of(&found, "writes").severity(), Severity::Fine);
    let (check, code, _) = the_error(&findings(&sentinel.url().replace("/main/", "/other/")).await);
    assert_eq!((check, code), ("sentinel", Code::Unreachable));
}
