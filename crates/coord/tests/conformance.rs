//! The memory adapter under the suite of its port, and planted bugs that the suite finds.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use cardoon_coord::conformance::{CASES, Harness};
use cardoon_coord::memory::MemoryCoordinator;
use cardoon_coord::{Coordinator, Entry};
use cardoon_core::Timestamp;
use cardoon_errors::Result;
use cardoon_runtime::{Clock, ManualClock};

cardoon_coord::coord_conformance!(std::future::ready(fresh(Bug::None)));

/// What is wrong with the adapter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bug {
    None,
    /// It writes without looking whether somebody else was first.
    NeverCompares,
    /// It keeps everything for ever.
    NeverForgets,
}

#[tokio::test]
async fn lost_updates_are_caught() {
    assert_caught(Bug::NeverCompares, "concurrent_sets_lose_no_update").await;
}

#[tokio::test]
async fn what_does_not_expire_is_caught() {
    assert_caught(Bug::NeverForgets, "an_entry_is_gone_when_its_time_is_over").await;
}

async fn assert_caught(bug: Bug, name: &str) {
    assert!(passes(Bug::None, name).await, "the wrapper itself is sound");
    assert!(!passes(bug, name).await, "{bug:?} was not noticed");
}

async fn passes(bug: Bug, name: &str) -> bool {
    let case = CASES.iter().find(|case| case.name == name).expect("the suite has this case");
    let mut runs = tokio::task::JoinSet::new();
    runs.spawn((case.run)(fresh(bug)));
    runs.join_next().await.expect("it was started").is_ok()
}

struct MemoryHarness {
    coord: Arc<dyn Coordinator>,
    manual: Arc<ManualClock>,
}

fn fresh(bug: Bug) -> Arc<dyn Harness> {
    let manual = ManualClock::new(Timestamp(1_800_000_000_000));
    let inner = MemoryCoordinator::new(Clock::manual(&manual));
    Arc::new(MemoryHarness { coord: Arc::new(Altered { inner, bug }), manual })
}

#[async_trait]
impl Harness for MemoryHarness {
    fn coord(&self) -> Arc<dyn Coordinator> {
        self.coord.clone()
    }

    async fn second(&self) -> Arc<dyn Coordinator> {
        self.coord.clone()
    }

    async fn pass(&self, time: Duration) {
        self.manual.advance(time);
    }
}

struct Altered {
    inner: Arc<MemoryCoordinator>,
    bug: Bug,
}

impl Altered {
    fn kept(&self, keep: Option<Duration>) -> Option<Duration> {
        keep.filter(|_| self.bug != Bug::NeverForgets)
    }
}

#[async_trait]
impl Coordinator for Altered {
    async fn get(&self, key: &str) -> Result<Option<Entry>> {
        let entry = self.inner.get(key).await;
        // Others get their turn between a read and the write that follows, as with a real store.
        tokio::task::yield_now().await;
        entry
    }

    async fn put(&self, key: &str, value: Bytes, keep: Option<Duration>) -> Result<u64> {
        self.inner.put(key, value, self.kept(keep)).await
    }

    async fn compare_and_set(
        &self,
        key: &str,
        expected: Option<u64>,
        value: Bytes,
        keep: Option<Duration>,
    ) -> Result<Option<u64>> {
        let keep = self.kept(keep);
        match self.bug {
            Bug::NeverCompares => self.inner.put(key, value, keep).await.map(Some),
            _ => self.inner.compare_and_set(key, expected, value, keep).await,
        }
    }

    async fn delete(&self, key: &str) -> Result<bool> {
        self.inner.delete(key).await
    }
}
