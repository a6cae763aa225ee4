//! Workers in other databases, and workers of Celery.

use std::time::Duration;

use cardoon_core::Timestamp;
use cardoon_doctor::{Patient, Surroundings, examine};
use cardoon_errors::{Code, Severity};
use cardoon_runtime::Clock;
use cardoon_testkit::{RedisServer, eventually};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::support::{bad, findings, join, of, send, server, stores, the_error};

/// Waits for tasks as a worker of Celery does.
async fn celery(server: &RedisServer) -> [TcpStream; 2] {
    let member = "\u{6}\u{16}\u{6}\u{16}celery@host.celery.pidbox";
    server.command(&["SADD", "_kombu.binding.celery.pidbox", member]).await.unwrap();
    let mut streams = Vec::new();
    for words in ["BRPOP mail 0\r\n", "PSUBSCRIBE /0.celeryev/*\r\n"] {
        let mut stream = TcpStream::connect(("127.0.0.1", server.port())).await.unwrap();
        stream.write_all(words.as_bytes()).await.unwrap();
        streams.push(stream);
    }
    eventually("it waits", Duration::from_secs(20), async || {
        server.command(&["CLIENT", "LIST"]).await.unwrap().contains("cmd=brpop")
            && server.command(&["PUBSUB", "NUMPAT"]).await.unwrap() == "1"
    })
    .await;
    streams.try_into().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_in_another_database_are_a_hint() {
    let server = server().await;
    let elsewhere = stores(&server.url().replace("/0", "/3")).await;
    let _worker = join(&elsewhere, &["mail.send"]).await;
    let found = findings(&server.url()).await;
    assert_eq!(bad(&found), [("workers", Code::OtherDatabase, Severity::Warning)]);
    let error = of(&found, "workers").trouble().unwrap();
    assert!(error.next_step().unwrap().ends_with("/3"), "{error:?}");
    assert_eq!(bad(&findings(&server.url().replace("/0", "/3")).await), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_needs_to_wait_in_the_database_of_the_results() {
    let server = server().await;
    let stores = stores(&server.url()).await;
    let _worker = join(&stores, &["mail.send"]).await;
    let patient = Patient {
        broker: server.url(),
        results: Some(server.url().replace("/0", "/1")),
        surroundings: Surroundings::default(),
        clock: Clock::real(),
    };
    let mut found = Vec::new();
    examine(&patient, &mut |finding| found.push(finding)).await;
    assert_eq!(bad(&found), []);
    assert_eq!(found.iter().filter(|finding| finding.check() == "login").count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_of_celery_is_seen_and_what_cannot_be_told_is_said() {
    let server = server().await;
    let _celery = celery(&server).await;
    let stores = stores(&server.url()).await;
    server.command(&["RPUSH", "celery", "{}"]).await.unwrap();
    send(&stores, "a", None).await;
    server.command(&["RPUSH", "mail", "{}"]).await.unwrap();
    let found = findings(&server.url()).await;
    assert!(of(&found, "celery").sentence().contains("Celery's workers that wait for tasks"), "{found:#?}");
    assert_eq!(bad(&found), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn delayed_tasks_beside_workers_of_celery_alone_are_named() {
    let server = server().await;
    let stores = stores(&server.url()).await;
    let worker = join(&stores, &["mail.send"]).await;
    let in_an_hour = Timestamp(Clock::real().now().0 + 3_600_000);
    send(&stores, "late", Some(in_an_hour)).await;
    let _celery = celery(&server).await;
    assert_eq!(bad(&findings(&server.url()).await), [], "a worker of ours puts them on their queue");
    worker.close().await.unwrap();
    let (check, code, text) = the_error(&findings(&server.url()).await);
    assert_eq!((check, code), ("celery", Code::BesideCelery));
    assert!(text.contains("cardoon handback"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_that_celerys_workers_do_not_keep_is_named() {
    let server = server().await;
    let stores = stores(&server.url()).await;
    stores.broker.control().pause(&crate::support::queue("mail")).await.unwrap();
    let _celery = celery(&server).await;
    assert_eq!(bad(&findings(&server.url()).await), [("celery", Code::BesideCelery, Severity::Warning)]);
}
