use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use cardoon_coord::{Coordinator, Entry, check};
use cardoon_errors::Result;

use crate::store::SqliteStore;
use crate::tables::entries;

#[async_trait]
impl Coordinator for SqliteStore {
    async fn get(&self, key: &str) -> Result<Option<Entry>> {
        check(key, b"")?;
        self.handle.check()?;
        let (key, now) = (key.to_owned(), self.handle.database.clock.now());
        self.handle.database.readers.run(move |db| entries::get(db, &key, now)).await
    }

    async fn put(&self, key: &str, value: Bytes, keep: Option<Duration>) -> Result<u64> {
        check(key, &value)?;
        let key = key.to_owned();
        self.write(move |step| entries::put(step, &key, &value, keep.map(|keep| step.now.plus(keep)))).await
    }

    async fn compare_and_set(
        &self,
        key: &str,
        expected: Option<u64>,
        value: Bytes,
        keep: Option<Duration>,
    ) -> Result<Option<u64>> {
        check(key, &value)?;
        let key = key.to_owned();
        self.write(move |step| {
            let stands = entries::get(step.db, &key, step.now)?;
            if stands.map(|entry| entry.version) != expected {
                return Ok(None);
            }
            entries::put(step, &key, &value, keep.map(|keep| step.now.plus(keep))).map(Some)
        })
        .await
    }

    async fn delete(&self, key: &str) -> Result<bool> {
        check(key, b"")?;
        let key = key.to_owned();
        self.write(move |step| entries::delete(step, &key)).await
    }
}
