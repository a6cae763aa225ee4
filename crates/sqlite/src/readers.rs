//! Connections that only read, so that looking never waits behind the writer.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use cardoon_errors::{Code, Error, Result};
use rusqlite::Connection;
use tokio::sync::Semaphore;

use crate::failure;
use crate::guard::Identity;
use crate::layout::{Purpose, connect};
use crate::options::SqliteOptions;

/// Connections at once: reading is fast, and each has a cache of its own.
const AT_ONCE: usize = 2;

#[derive(Debug, Clone)]
pub(crate) struct Readers(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    options: SqliteOptions,
    identity: Arc<Identity>,
    permits: Arc<Semaphore>,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    pub(crate) fn new(path: PathBuf, options: SqliteOptions, identity: Arc<Identity>) -> Self {
        let permits = Arc::new(Semaphore::new(AT_ONCE));
        Self(Arc::new(Inner { path, options, identity, permits, idle: Mutex::default() }))
    }

    /// Runs `query` on a thread where it may block. Each of its statements sees the file as of its own beginning.
    pub(crate) async fn run<T, F>(&self, query: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let permit = Arc::clone(&self.0.permits).acquire_owned().await;
        let permit = permit.map_err(|_| Error::new(Code::StoreClosed, "the database was closed"))?;
        let inner = Arc::clone(&self.0);
        let reading = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            inner.read(query)
        });
        reading.await.map_err(|broken| Error::new(Code::Internal, "a query broke off").source(broken))?
    }

    /// Closes the connections as soon as nobody uses them, and opens no others.
    pub(crate) fn close(&self) {
        self.0.permits.close();
        self.0.idle().clear();
    }
}

impl Inner {
    fn read<T>(&self, query: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T> {
        self.identity.check_process()?;
        self.identity.check_files()?;
        let idle = self.idle().pop();
        let db = idle.map_or_else(|| connect(&self.path, &self.options, Purpose::Read), Ok)?;
        let answer = query(&db).map_err(|error| failure::of_sqlite(error, &self.path, "read"));
        if !self.permits.is_closed() {
            self.idle().push(db);
        }
        answer
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
