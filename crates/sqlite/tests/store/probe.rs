//! What a doctor is told of a file.

use std::path::Path;

use cardoon_broker::Broker;
use cardoon_errors::{Code, Finding, Severity};
use cardoon_sqlite::{ProbeLimits, probe};
use rusqlite::Connection;

use crate::common::{LIMIT, publish, send, store};

async fn bad(path: &Path, limits: &ProbeLimits) -> Vec<(&'static str, Code, Severity)> {
    let mut findings = Vec::new();
    probe(path, limits, &mut |finding| findings.push(finding)).await;
    let bad = |finding: &Finding| Some((finding.check(), finding.trouble()?.code(), finding.severity()));
    findings.iter().filter_map(bad).collect()
}

#[tokio::test]
async fn a_log_that_a_reader_keeps_from_shrinking_is_named() {
    let (_folder, store) = store();
    send(&store, &["a"]).await;
    let limits = ProbeLimits { log: 256 * 1024, ..ProbeLimits::default() };
    assert_eq!(bad(store.path(), &limits).await, []);
    let reader = Connection::open(store.path()).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM message").unwrap();
    let batch = (0..4000).map(|number| publish(&format!("more-{number}"))).collect();
    assert!(store.publish(batch).await.iter().all(Result::is_ok));
    assert_eq!(bad(store.path(), &limits).await, [("log", Code::LogTooLong, Severity::Warning)]);
    reader.execute_batch("COMMIT").unwrap();
    cardoon_testkit::eventually("the log is shortened", LIMIT, async || {
        bad(store.path(), &limits).await.is_empty()
    })
    .await;
}

#[tokio::test]
async fn a_disk_that_is_full_or_nearly_so_is_named() {
    let (_folder, store) = store();
    let everything = u64::MAX;
    let nearly = ProbeLimits { room: everything, ..ProbeLimits::default() };
    assert_eq!(bad(store.path(), &nearly).await, [("room", Code::NotEnoughRoom, Severity::Warning)]);
    let full = ProbeLimits { full: everything, ..ProbeLimits::default() };
    assert_eq!(bad(store.path(), &full).await, [("room", Code::DiskFull, Severity::Error)]);
    assert_eq!(bad(store.path(), &ProbeLimits::default()).await, []);
}

#[tokio::test]
async fn a_file_that_somebody_holds_for_himself_is_named_in_time() {
    let (_folder, store) = store();
    send(&store, &["a"]).await;
    let path = store.path().to_owned();
    Broker::close(&*store, std::time::Duration::from_secs(20)).await.unwrap();
    drop(store);
    let other = Connection::open(&path).unwrap();
    other.execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE; COMMIT").unwrap();
    assert_eq!(bad(&path, &ProbeLimits::default()).await, [("owner", Code::DatabaseBusy, Severity::Error)]);
}

#[tokio::test]
async fn a_large_database_is_not_read_as_a_whole() {
    let (_folder, store) = store();
    let mut findings = Vec::new();
    let limits = ProbeLimits { read: 0, ..ProbeLimits::default() };
    assert!(probe(store.path(), &limits, &mut |finding| findings.push(finding)).await);
    let integrity = findings.iter().find(|finding| finding.check() == "integrity").unwrap();
    assert_eq!(integrity.severity(), Severity::Unchecked);
}
