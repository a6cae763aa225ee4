//! Does the server keep what it takes, and does it take anything?

use std::time::Duration;

use cardoon_core::Timestamp;
use cardoon_doctor::Surroundings;
use cardoon_errors::{Code, Severity};
use cardoon_runtime::{Clock, ManualClock};
use cardoon_testkit::{RedisOptions, RedisServer, eventually};

use crate::support::{bad, findings, findings_in, lasting, of, server, the_error};

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_lose_tasks_are_warned_of() {
    let options = RedisOptions::default().max_memory(100_000_000).setting("maxmemory-policy", "allkeys-lru");
    let server = RedisServer::start_with(options).await.unwrap();
    let warned = |check| (check, Code::RedisLosesTasks, Severity::Warning);
    assert_eq!(bad(&findings(&server.url()).await), [warned("persistence"), warned("eviction")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_is_named_with_its_primary() {
    let primary = server().await;
    let replica = RedisServer::start_with(lasting().replica_of(primary.port())).await.unwrap();
    let (check, code, text) = the_error(&findings(&replica.url()).await);
    assert_eq!((check, code), ("role", Code::RedisReadOnly));
    assert!(text.contains(&format!("127.0.0.1:{}", primary.port())), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_a_newer_layout_are_named() {
    let server = server().await;
    server.command(&["SET", "cardoon:layout", "999"]).await.unwrap();
    let (check, code, _) = the_error(&findings(&server.url()).await);
    assert_eq!((check, code), ("layout", Code::RedisNewerLayout));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_whose_memory_is_full_is_named() {
    // It takes more by itself, before anything is stored.
    let server = RedisServer::start_with(lasting().max_memory(100_000)).await.unwrap();
    let found = findings(&server.url()).await;
    let (check, code, text) = the_error(&found);
    assert_eq!((check, code), ("writes", Code::RedisFull));
    assert!(text.contains("OOM"), "{text}");
    assert_eq!(of(&found, "memory").trouble().unwrap().code(), Code::RedisFull);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_cannot_write_to_its_disk_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("data");
    std::fs::create_dir(&place).unwrap();
    let options = RedisOptions::default().setting("dir", &place.display().to_string());
    let server = RedisServer::start_with(options.setting("save", "3600 1")).await.unwrap();
    std::fs::remove_dir(&place).unwrap();
    server.command(&["SET", "a", "1"]).await.unwrap();
    server.command(&["BGSAVE"]).await.unwrap();
    eventually("saving fails", Duration::from_secs(20), async || {
        let about = server.command(&["INFO", "persistence"]).await.unwrap();
        about.contains("rdb_last_bgsave_status:err")
    })
    .await;
    let (check, code, text) = the_error(&findings(&server.url()).await);
    assert_eq!((check, code), ("writes", Code::RedisFull));
    assert!(text.contains("MISCONF"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_goes_wrong_is_named() {
    let server = server().await;
    let at = async |millis: i64| {
        let clock = Clock::manual(&ManualClock::new(Timestamp(Clock::real().now().0 + millis)));
        findings_in(&server.url(), &Surroundings::default(), &clock).await
    };
    let (check, code, text) = the_error(&at(90_000).await);
    assert_eq!((check, code), ("clock", Code::ClocksDiffer));
    assert!(text.contains("is behind ours"), "{text}");
    assert_eq!(bad(&at(-10_000).await), [("clock", Code::ClocksDiffer, Severity::Warning)]);
}
