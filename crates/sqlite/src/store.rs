use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use cardoon_broker::{Capabilities, DelayKind, Durability, LeaseKind};
use cardoon_errors::{Applied, Code, Error, Result};
use cardoon_runtime::Clock;
use tokio::sync::watch;

use crate::database::Database;
use crate::options::{SqliteOptions, Synchronous};
use crate::tables::Step;

/// The largest message that the file takes: 512 MiB.
pub(crate) const MAX_MESSAGE_BYTES: usize = 512 * 1024 * 1024;

/// Broker and result backend in one SQLite file.
///
/// All processes of one file must be on one machine. Within a process, a file is opened once, and every further
/// [`open`](Self::open) joins it with the options of the first. Do not open the file with another SQLite library in the
/// same process, and do not use a store across a `fork`.
#[derive(Clone)]
pub struct SqliteStore {
    pub(crate) handle: Arc<Handle>,
    pub(crate) capabilities: Arc<Capabilities>,
}

/// One user's side of an open database; it can be closed while others go on.
pub(crate) struct Handle {
    pub(crate) database: Arc<Database>,
    closed: watch::Sender<bool>,
    /// Batches of events that are not written yet.
    pub(crate) emitted: Arc<AtomicUsize>,
}

impl SqliteStore {
    /// Opens the file at `path`; makes it, and its folder, if there is none.
    ///
    /// # Errors
    /// `CD1101` the file cannot be opened, `CD1102` it belongs to another program, `CD1103` a newer Cardoon wrote it,
    /// `CD1104` it is on a network file system, `CD1108` it cannot be written, `CD1110` it stays locked, `CD1111` it is
    /// damaged.
    pub fn open(path: impl AsRef<Path>, options: &SqliteOptions, clock: &Clock) -> Result<Arc<Self>> {
        let database = Database::open(path.as_ref(), options, clock)?;
        let capabilities = Arc::new(capabilities(&database.options));
        let handle = Handle { database, closed: watch::Sender::new(false), emitted: Arc::default() };
        Ok(Arc::new(Self { handle: Arc::new(handle), capabilities }))
    }

    /// The file's absolute path.
    pub fn path(&self) -> &Path {
        &self.handle.database.path
    }

    /// Makes one change to the file; answers when it is durable.
    pub(crate) async fn write<T, F>(&self, write: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&mut Step<'_>) -> rusqlite::Result<T> + Send + 'static,
    {
        self.handle.check()?;
        self.handle.database.writer.run(1, write).await
    }

    /// Finishes what is queued, at most `limit`; then everything answers `StoreClosed`. Closing twice is harmless.
    pub(crate) async fn close(&self, limit: Duration) -> Result<()> {
        let database = &self.handle.database;
        if !self.handle.leave() {
            return Ok(());
        }
        let done = tokio::time::timeout(limit, async {
            if database.is_left() {
                database.writer.ended().await;
            } else {
                // An error would come from the operations before, whose callers have got it.
                let _ = database.writer.run(0, |_| Ok(())).await;
            }
        });
        done.await.map_err(|_| {
            Error::new(Code::NoAnswer, format!("{} is still busy", database.path.display()))
                .applied(Applied::Unknown)
        })
    }
}

impl std::fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteStore").field("path", &self.path()).finish_non_exhaustive()
    }
}

impl Handle {
    /// Fails when this handle was closed or the file cannot be used any more.
    pub(crate) fn check(&self) -> Result<()> {
        if *self.closed.borrow() {
            let path = self.database.path.display();
            return Err(Error::new(Code::StoreClosed, format!("{path} was closed")));
        }
        self.database.check()
    }

    /// Turns true when this handle is closed.
    pub(crate) fn closing(&self) -> watch::Receiver<bool> {
        self.closed.subscribe()
    }

    /// Closes this handle; answers whether it was open.
    fn leave(&self) -> bool {
        let first = !self.closed.send_replace(true);
        if first {
            self.database.leave();
        }
        first
    }

    pub(crate) fn pending_emits(&self) -> usize {
        self.emitted.load(Ordering::Relaxed)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.leave();
    }
}

fn capabilities(options: &SqliteOptions) -> Capabilities {
    Capabilities {
        name: "sqlite",
        durability: match options.synchronous {
            Synchronous::Full => Durability::Fsync,
            Synchronous::Normal => Durability::OsCache,
        },
        lease: LeaseKind::ExpiringWithSignOfDeath,
        delay: DelayKind::Exact { granularity: Duration::from_millis(1) },
        priorities: 10,
        atomic_settle: true,
        blocking_claim: true,
        exact_blame: true,
        unique_messages: true,
        max_message_bytes: MAX_MESSAGE_BYTES,
    }
}
