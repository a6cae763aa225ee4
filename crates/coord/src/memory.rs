//! The memory adapter: entries that live as long as their process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use cardoon_core::Timestamp;
use cardoon_errors::Result;
use cardoon_runtime::Clock;

use crate::{Coordinator, Entry, check};

/// Entries in the memory of this process. Handles are clones of one `Arc`.
#[derive(Debug)]
pub struct MemoryCoordinator {
    clock: Clock,
    store: Mutex<Store>,
}

#[derive(Debug, Default)]
struct Store {
    entries: HashMap<String, (Entry, Option<Timestamp>)>,
    last_version: u64,
}

impl MemoryCoordinator {
    pub fn new(clock: Clock) -> Arc<Self> {
        Arc::new(Self { clock, store: Mutex::default() })
    }

    /// The store, without what has expired.
    fn store(&self) -> MutexGuard<'_, Store> {
        let mut store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        store.entries.retain(|_, (_, until)| until.is_none_or(|until| until > now));
        store
    }

    fn until(&self, keep: Option<Duration>) -> Option<Timestamp> {
        keep.map(|keep| self.clock.now().plus(keep))
    }
}

impl Store {
    fn write(&mut self, key: &str, value: Bytes, until: Option<Timestamp>) -> u64 {
        self.last_version += 1;
        let entry = Entry { value, version: self.last_version };
        self.entries.insert(key.to_owned(), (entry, until));
        self.last_version
    }

    fn version(&self, key: &str) -> Option<u64> {
        self.entries.get(key).map(|(entry, _)| entry.version)
    }
}

#[async_trait]
impl Coordinator for MemoryCoordinator {
    async fn get(&self, key: &str) -> Result<Option<Entry>> {
        check(key, b"")?;
        Ok(self.store().entries.get(key).map(|(entry, _)| entry.clone()))
    }

    async fn put(&self, key: &str, value: Bytes, keep: Option<Duration>) -> Result<u64> {
        check(key, &value)?;
        Ok(self.store().write(key, value, self.until(keep)))
    }

    async fn compare_and_set(
        &self,
        key: &str,
        expected: Option<u64>,
        value: Bytes,
        keep: Option<Duration>,
    ) -> Result<Option<u64>> {
        check(key, &value)?;
        let mut store = self.store();
        if store.version(key) != expected {
            return Ok(None);
        }
        Ok(Some(store.write(key, value, self.until(keep))))
    }

    async fn delete(&self, key: &str) -> Result<bool> {
        check(key, b"")?;
        Ok(self.store().entries.remove(key).is_some())
    }
}
