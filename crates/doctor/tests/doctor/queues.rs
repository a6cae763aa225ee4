//! What only the queues tell: workers, names, holders. The same for both adapters.

use cardoon_errors::{Code, Severity};

use crate::support::{bad, findings, join, join_queues, of, queue, send, send_to, server, stores, the_error};

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
async fn of_many_queues_without_a_worker_the_first_five_are_named_singly() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("tasks.db").display());
    let stores = stores(&url).await;
    for number in 1..=8 {
        send_to(&stores, &format!("queue-{number}"), &format!("task-{number}"), None).await;
    }
    let found = findings(&url).await;
    assert_eq!(bad(&found), [("queues", Code::NoWorker, Severity::Error); 6]);
    let further = format!("{:?}", found.iter().filter_map(|finding| finding.trouble()).next_back().unwrap());
    assert!(further.contains("no worker takes from them: 3 ["), "{further}");
    assert!(further.contains("queues: queue-6, queue-7, queue-8"), "{further}");
    assert!(further.contains("hint: see them all: cardoon queue list"), "{further}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_tasks_that_nobody_knows_the_first_five_are_named_singly() {
    let server = server().await;
    let stores = stores(&server.url()).await;
    let queues: Vec<String> = (1..=8).map(|number| format!("queue-{number}")).collect();
    let _worker = join_queues(&stores, &queues, &["mail.other"]).await;
    for queue in &queues {
        send_to(&stores, queue, &format!("task-of-{queue}"), None).await;
    }
    let found = findings(&server.url()).await;
    assert_eq!(bad(&found), [("task-names", Code::NoSuchTask, Severity::Error); 6]);
    let further = found.iter().filter_map(|finding| finding.trouble()).next_back().unwrap();
    assert_eq!(further.message(), "further tasks that no worker of their queues knows: 3");
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
