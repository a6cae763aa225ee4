//! What only the queues tell: workers, names, holders. The same for both adapters.

use cardoon_errors::{Code, Severity};

use crate::support::{bad, findings, join, of, queue, send, server, stores, the_error};

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_without_a_worker_is_named_on_redis() {
    let server = server().await;
    let stores = stores(&server.url()).await;
    send(&stores, "a", None).await;
    let (check, code, text) = the_error(&findings(&server.url()).await);
    assert_eq!((check, code), ("queues", Code::NoWorker));
    assert!(text.contains("--queues mail") && text.contains("ready: 1"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_without_a_worker_is_named_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("tasks.db").display());
    let stores = stores(&url).await;
    assert_eq!(bad(&findings(&url).await), []);
    send(&stores, "a", None).await;
    let (check, code, _) = the_error(&findings(&url).await);
    assert_eq!((check, code), ("queues", Code::NoWorker));
    let _worker = join(&stores, &["mail.send"]).await;
    assert_eq!(bad(&findings(&url).await), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_queue_is_named() {
    let server = server().await;
    let stores = stores(&server.url()).await;
    let _worker = join(&stores, &["mail.send"]).await;
    send(&stores, "a", None).await;
    stores.broker.control().pause(&queue("mail")).await.unwrap();
    assert_eq!(bad(&findings(&server.url()).await), [("queues", Code::QueuePaused, Severity::Warning)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_no_worker_of_its_queue_knows_is_named() {
    let server = server().await;
    let stores = stores(&server.url()).await;
    let _worker = join(&stores, &["mail.other"]).await;
    send(&stores, "a", None).await;
    let (check, code, text) = the_error(&findings(&server.url()).await);
    assert_eq!((check, code), ("task-names", Code::NoSuchTask));
    assert!(text.contains("mail.send") && text.contains("workers of the queue: one"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_of_a_worker_that_is_silent_are_named() {
    let server = server().await;
    let stores = stores(&server.url()).await;
    let worker = join(&stores, &["mail.send"]).await;
    send(&stores, "a", None).await;
    assert_eq!(worker.claim(1).await.unwrap().len(), 1);
    let found = findings(&server.url()).await;
    assert_eq!(bad(&found), []);
    assert_eq!(of(&found, "leases").sentence(), "messages that live workers hold: 1");
    server.command(&["ZADD", "cardoon:beats", "1000", &worker.session().to_string()]).await.unwrap();
    let (check, code, text) = the_error(&findings(&server.url()).await);
    assert_eq!((check, code), ("leases", Code::HeldByDead));
    assert!(text.contains("worker one has been silent"), "{text}");
}
