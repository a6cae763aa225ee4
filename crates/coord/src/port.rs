use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use cardoon_errors::Result;

/// A store of entries: values under keys, each with a version.
///
/// Versions grow: an entry's is larger than all that its key had before, also if it was deleted or has expired in
/// between. A value that is written with a `keep` is gone when that time is over, by the store's clock.
///
/// # Errors
///
/// `CD2005` for a key and `CD2002` for a value that [`check`](crate::check) refuses, and what the store itself answers.
/// An error says whether it was applied.
#[async_trait]
pub trait Coordinator: Send + Sync + 'static {
    /// What stands under `key` now; never older than what any node has been told before.
    async fn get(&self, key: &str) -> Result<Option<Entry>>;

    /// Writes `value` whatever stands there; answers its version. Who read before writes over what others wrote since.
    async fn put(&self, key: &str, value: Bytes, keep: Option<Duration>) -> Result<u64>;

    /// Writes `value` if the entry still has the version `expected`, or if there is none and that is `None`. Answers the
    /// new version; `None` if somebody else was first, and then nothing was written.
    async fn compare_and_set(
        &self,
        key: &str,
        expected: Option<u64>,
        value: Bytes,
        keep: Option<Duration>,
    ) -> Result<Option<u64>>;

    /// Removes the entry; answers whether there was one.
    async fn delete(&self, key: &str) -> Result<bool>;
}

/// A value and its version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub value: Bytes,
    pub version: u64,
}
