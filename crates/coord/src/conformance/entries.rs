//! Entries: reading, writing, comparing, expiring.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cardoon_errors::Code;

use super::Harness;
use crate::{Coordinator, Entry, MAX_VALUE_BYTES};

const KEPT: Duration = Duration::from_millis(300);

pub async fn what_was_put_is_read_by_others(harness: Arc<dyn Harness>) {
    let (one, other) = (harness.coord(), harness.second().await);
    assert_eq!(get(&*other, "a").await, None);
    let version = put(&*one, "a", "first").await;
    assert_eq!(get(&*other, "a").await, Some(Entry { value: "first".into(), version }));
    let later = put(&*other, "a", "second").await;
    assert!(later > version, "versions grow");
    assert_eq!(get(&*one, "a").await, Some(Entry { value: "second".into(), version: later }));
    assert_eq!(get(&*one, "b").await, None, "another key is another entry");
}

pub async fn a_set_needs_the_version_that_was_read(harness: Arc<dyn Harness>) {
    let (one, other) = (harness.coord(), harness.second().await);
    let read = put(&*one, "a", "0").await;
    let set = set(&*other, "a", Some(read), "1").await.expect("nobody was faster");
    assert_eq!(self::set(&*one, "a", Some(read), "2").await, None, "somebody was");
    assert_eq!(get(&*one, "a").await, Some(Entry { value: "1".into(), version: set }));
}

pub async fn a_set_of_something_new_needs_that_there_is_nothing(harness: Arc<dyn Harness>) {
    let (one, other) = (harness.coord(), harness.second().await);
    let first = set(&*one, "a", None, "1").await;
    assert!(first.is_some());
    assert_eq!(set(&*other, "a", None, "2").await, None);
    assert!(other.delete("a").await.expect("the entry is deleted"));
    assert!(!one.delete("a").await.expect("the entry is deleted"), "once is enough");
    assert_eq!(set(&*other, "a", first, "3").await, None, "nothing is no version");
    assert!(set(&*other, "a", None, "4").await.is_some());
}

pub async fn versions_grow_over_deletion(harness: Arc<dyn Harness>) {
    let coord = harness.coord();
    let before = put(&*coord, "a", "1").await;
    coord.delete("a").await.expect("the entry is deleted");
    let after = put(&*coord, "a", "1").await;
    assert!(after > before, "who still has the old version must not be taken for up to date");
}

pub async fn concurrent_sets_lose_no_update(harness: Arc<dyn Harness>) {
    const EACH: u64 = 25;
    let nodes = [harness.coord(), harness.second().await, harness.coord()];
    put(&*nodes[0], "sum", "0").await;
    let mut adding = tokio::task::JoinSet::new();
    for node in nodes {
        adding.spawn(async move {
            for _ in 0..EACH {
                while !add_one(&*node).await {}
            }
        });
    }
    while let Some(added) = adding.join_next().await {
        added.expect("a node adds");
    }
    let sum = get(&*harness.coord(), "sum").await.expect("it is there").value;
    assert_eq!(sum, (3 * EACH).to_string());
}

/// Answers whether nobody else was first.
async fn add_one(coord: &dyn Coordinator) -> bool {
    let read = get(coord, "sum").await.expect("it is there");
    let sum: u64 = std::str::from_utf8(&read.value).expect("a number").parse().expect("a number");
    set(coord, "sum", Some(read.version), &(sum + 1).to_string()).await.is_some()
}

pub async fn an_entry_is_gone_when_its_time_is_over(harness: Arc<dyn Harness>) {
    let (one, other) = (harness.coord(), harness.second().await);
    let version = one.put("a", "1".into(), Some(KEPT)).await.expect("it is put");
    harness.pass(KEPT * 2).await;
    assert_eq!(get(&*other, "a").await, None);
    assert_eq!(set(&*other, "a", Some(version), "2").await, None);
    let set = other.compare_and_set("a", None, "3".into(), Some(KEPT)).await.expect("it is set");
    assert!(set.is_some_and(|set| set > version));
    harness.pass(KEPT * 2).await;
    assert!(!one.delete("a").await.expect("the entry is deleted"), "it is gone already");
}

pub async fn a_later_write_decides_how_long_an_entry_is_kept(harness: Arc<dyn Harness>) {
    let coord = harness.coord();
    let version = coord.put("a", "1".into(), Some(KEPT)).await.expect("it is put");
    set(&*coord, "a", Some(version), "2").await.expect("nobody was faster");
    harness.pass(KEPT * 2).await;
    assert_eq!(get(&*coord, "a").await.map(|entry| entry.value), Some("2".into()));
}

pub async fn values_are_bytes(harness: Arc<dyn Harness>) {
    let coord = harness.coord();
    for value in [Bytes::new(), Bytes::from_static(&[0, 255, 32, 10]), Bytes::from(vec![7; MAX_VALUE_BYTES])]
    {
        coord.put("a key: with spaces, 中文", value.clone(), None).await.expect("it is put");
        let read = get(&*harness.second().await, "a key: with spaces, 中文").await;
        assert!(read.is_some_and(|entry| entry.value == value));
    }
}

pub async fn what_no_store_takes_is_refused(harness: Arc<dyn Harness>) {
    let coord = harness.coord();
    assert_eq!(coord.get("").await.expect_err("no key").code(), Code::BadName);
    assert_eq!(coord.delete("a\n").await.expect_err("no key").code(), Code::BadName);
    let large = Bytes::from(vec![0; MAX_VALUE_BYTES + 1]);
    assert_eq!(coord.put("a", large.clone(), None).await.expect_err("too large").code(), Code::TooLarge);
    let set = coord.compare_and_set("a", None, large, None).await;
    assert_eq!(set.expect_err("too large").code(), Code::TooLarge);
    assert_eq!(get(&*coord, "a").await, None);
}

async fn get(coord: &dyn Coordinator, key: &str) -> Option<Entry> {
    coord.get(key).await.expect("the entry is read")
}

async fn put(coord: &dyn Coordinator, key: &str, value: &str) -> u64 {
    coord.put(key, value.to_owned().into(), None).await.expect("the entry is written")
}

async fn set(coord: &dyn Coordinator, key: &str, expected: Option<u64>, value: &str) -> Option<u64> {
    coord.compare_and_set(key, expected, value.to_owned().into(), None).await.expect("the store answers")
}
