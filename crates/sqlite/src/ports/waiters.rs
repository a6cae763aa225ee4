//! Those who wait for results, and the thread that hears the bells for all of this process.

use std::collections::HashMap;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cardoon_core::{ResultRecord, TaskId, Timestamp};
use cardoon_errors::Result;
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::guard::Identity;
use crate::layout::{Purpose, connect, pause};
use crate::live::{Bell, Heard, Listener, Local};
use crate::options::SqliteOptions;
use crate::tables::records;
use crate::writer::Writer;

/// Records that are read at a time.
const PAGE: usize = 512;

/// Between two looks for changes when the bells cannot be heard.
const DEAF: Duration = Duration::from_millis(500);

/// Those of this process who wait for the end of a task.
#[derive(Debug, Default)]
pub(crate) struct Waiters(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    by_id: HashMap<TaskId, Vec<oneshot::Sender<ResultRecord>>>,
    /// The number up to which records were looked at; `None` while nobody waits.
    followed: Option<i64>,
}

/// A place among the waiters; leaves it when dropped.
pub(crate) struct Waiter {
    waiters: Arc<Waiters>,
    id: TaskId,
    pub(crate) ended: oneshot::Receiver<ResultRecord>,
}

impl Waiters {
    /// Waits for the end of task `id`. Call [`Self::begin_following`], then look whether it has ended already.
    pub(crate) fn join(self: &Arc<Self>, id: &TaskId) -> Waiter {
        let (tell, ended) = oneshot::channel();
        self.state().by_id.entry(id.clone()).or_default().push(tell);
        Waiter { waiters: Arc::clone(self), id: id.clone(), ended }
    }

    /// From now on no record escapes that is newer than the newest one now.
    pub(crate) fn begin_following(&self, db: &Connection) -> rusqlite::Result<()> {
        if self.state().followed.is_some() {
            return Ok(());
        }
        let newest = records::newest(db)?;
        self.state().followed.get_or_insert(newest);
        Ok(())
    }

    /// Tells those whose tasks have ended since the last look.
    fn follow(&self, db: &Connection) -> rusqlite::Result<()> {
        while let Some(from) = self.next_page() {
            let page = records::ended_after(db, from, PAGE)?;
            let Some((last, _)) = page.last() else { return Ok(()) };
            let last = *last;
            for (_, id) in &page {
                self.tell(db, id)?;
            }
            self.advance(from, last);
            if page.len() < PAGE {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Lets all who wait ask what is wrong.
    fn dismiss(&self) {
        self.state().by_id.clear();
    }

    fn next_page(&self) -> Option<i64> {
        let mut state = self.state();
        if state.by_id.is_empty() {
            state.followed = None;
        }
        state.followed
    }

    fn advance(&self, from: i64, to: i64) {
        let mut state = self.state();
        if state.followed == Some(from) {
            state.followed = Some(to);
        }
    }

    fn tell(&self, db: &Connection, id: &TaskId) -> rusqlite::Result<()> {
        if !self.state().by_id.contains_key(id) {
            return Ok(());
        }
        let Some(record) = records::latest(db, id, Timestamp(i64::MIN))? else { return Ok(()) };
        if record.state.is_final()
            && let Some(waiting) = self.state().by_id.remove(id)
        {
            for tell in waiting {
                // Who does not wait any more does not need to know.
                let _ = tell.send(record.clone());
            }
        }
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        self.ended.close();
        let mut state = self.waiters.state();
        if let Some(waiting) = state.by_id.get_mut(&self.id) {
            waiting.retain(|tell| !tell.is_closed());
            if waiting.is_empty() {
                state.by_id.remove(&self.id);
            }
        }
    }
}

/// The thread that hears the bells of this process.
pub(crate) struct Following {
    pub(crate) path: PathBuf,
    pub(crate) options: SqliteOptions,
    pub(crate) listener: Arc<Listener>,
    pub(crate) local: Arc<Local>,
    pub(crate) waiters: Arc<Waiters>,
    pub(crate) identity: Arc<Identity>,
    pub(crate) writer: Writer,
    pub(crate) socket: Arc<UnixDatagram>,
}

impl Following {
    pub(crate) fn serve(self) {
        let mut db = None;
        let mut version = 0;
        loop {
            let heard = self.listener.hear(&self.socket).unwrap_or_else(|error| {
                tracing::warn!(%error, "the bells cannot be heard; looking for changes instead");
                pause(DEAF);
                Heard::Silence
            });
            let bells = match heard {
                Heard::Closed => return,
                Heard::Bells(bells) => bells,
                Heard::Silence if self.is_gone() => {
                    self.local.ring(Bell::ALL);
                    self.waiters.dismiss();
                    continue;
                }
                Heard::Silence => match self.has_changed(&mut db, &mut version) {
                    Ok(true) => Bell::ALL,
                    Ok(false) => continue,
                    Err(error) => {
                        tracing::debug!(%error, "the database cannot be looked at");
                        continue;
                    }
                },
            };
            self.local.ring(bells);
            if bells.has(Bell::RESULT)
                && let Err(error) = self.follow(&mut db)
            {
                tracing::debug!(%error, "results cannot be looked at");
            }
        }
    }

    /// Whether the file was removed or replaced, so that nothing will ever change in it.
    fn is_gone(&self) -> bool {
        self.identity.check_files().inspect_err(|error| self.writer.give_up(error.clone())).is_err()
    }

    fn follow(&self, db: &mut Option<Connection>) -> Result<()> {
        let db = self.connection(db)?;
        self.waiters.follow(db).map_err(|error| crate::failure::of_sqlite(error, &self.path, "read"))
    }

    /// Whether the file changed since the last look: the safety net.
    fn has_changed(&self, db: &mut Option<Connection>, version: &mut i64) -> Result<bool> {
        let db = self.connection(db)?;
        let found: i64 = db
            .pragma_query_value(None, "data_version", |row| row.get(0))
            .map_err(|error| crate::failure::of_sqlite(error, &self.path, "read"))?;
        Ok(std::mem::replace(version, found) != found)
    }

    fn connection<'a>(&self, db: &'a mut Option<Connection>) -> Result<&'a Connection> {
        match db {
            Some(open) => Ok(open),
            None => Ok(db.insert(connect(&self.path, &self.options, Purpose::Read)?)),
        }
    }
}
