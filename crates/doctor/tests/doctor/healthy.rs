use cardoon_errors::Severity;
use cardoon_testkit::RedisServer;

use crate::support::{bad, findings, join, lasting, of, send, server, stores};

#[tokio::test(flavor = "multi_thread")]
async fn of_a_healthy_server_nothing_bad_is_said() {
    let server = server().await;
    let found = findings(&server.url()).await;
    assert!(found.iter().all(|finding| finding.severity() == Severity::Fine), "{found:#?}");
    let order: Vec<_> = found.iter().map(cardoon_errors::Finding::check).collect();
    assert_eq!(
        order[..6],
        ["broker", "running", "address", "version", "login", "database"],
        "a beginner's order"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn each_door_of_a_healthy_server_is_found_well() {
    let server = RedisServer::start_with(lasting().tls().unix_socket().password("s3cret")).await.unwrap();
    let with_password = |url: String| url.replace("://", "://:s3cret@");
    let socket = format!("redis+socket://:s3cret@{}?db=3", server.socket().display());
    for url in [server.url(), with_password(server.tls_url()), socket] {
        assert_eq!(bad(&findings(&url).await), [], "{url}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_with_a_worker_that_knows_its_tasks_is_well() {
    let server = server().await;
    let stores = stores(&server.url()).await;
    let _worker = join(&stores, &["mail.send"]).await;
    send(&stores, "a", None).await;
    let found = findings(&server.url()).await;
    assert_eq!(bad(&found), []);
    assert!(of(&found, "alive").sentence().contains("one"), "{found:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn looking_writes_nothing_into_a_server() {
    let server = server().await;
    server.command(&["RPUSH", "celery", "{}"]).await.unwrap();
    server.command(&["SADD", "_kombu.binding.celery", "celery\u{6}\u{16}\u{6}\u{16}celery"]).await.unwrap();
    let dirty = async || {
        let about = server.command(&["INFO", "persistence"]).await.unwrap();
        let changes = about.lines().find(|line| line.starts_with("rdb_changes")).unwrap().to_owned();
        (changes, server.command(&["KEYS", "*"]).await.unwrap().lines().count())
    };
    let before = dirty().await;
    findings(&server.url()).await;
    assert_eq!(dirty().await, before);
}
