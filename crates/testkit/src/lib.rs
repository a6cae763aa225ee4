//! For tests only: folders, processes and servers that end with their handle, waiting with a deadline.

mod environment;
mod process;
#[cfg(unix)]
mod redis;
mod wait;

pub use environment::environment;
pub use process::{Process, cardoon_binary};
#[cfg(unix)]
pub use redis::{AppendOnly, RedisOptions, RedisServer, Release, Sentinel};
pub use tempfile::TempDir;
pub use wait::eventually;

/// A folder of its own for a test, removed when it is dropped.
pub fn folder() -> anyhow::Result<TempDir> {
    Ok(tempfile::Builder::new().prefix("cardoon-test-").tempdir()?)
}
