//! Fairness between processes.
//!
//! SQLite's lock goes to whoever tries first, which is the process that just gave it back. So a writer that waits
//! for the lock holds a shared lock on a file, `turn`, and one that has committed looks whether somebody does.

use std::fs::File;
use std::time::Duration;

use rusqlite::Connection;

use crate::layout::{is_busy, pause};

/// How soon the lock is tried again, at first and after [`EAGER`].
const SHORT: Duration = Duration::from_micros(50);
const LONG: Duration = Duration::from_millis(1);
const EAGER: Duration = Duration::from_millis(20);

/// How long a writer steps aside.
const ASIDE: Duration = Duration::from_millis(2);

/// So many commits do not step aside after nobody used the chance: a stopped process must not brake the others.
const SKIPPED: u32 = 64;

#[derive(Debug)]
pub(crate) struct Turn {
    file: File,
    skip: u32,
}

impl Turn {
    pub(crate) fn new(file: File) -> Self {
        Self { file, skip: 0 }
    }

    /// Begins a transaction that writes, in turn with other processes; `SQLITE_BUSY` when that takes longer than
    /// `limit`.
    pub(crate) fn begin(&self, db: &Connection, limit: Duration) -> rusqlite::Result<()> {
        let mut begin = db.prepare_cached("BEGIN IMMEDIATE")?;
        let mut first = begin.execute([]).map(drop);
        if first.as_ref().is_err_and(is_busy) {
            let waiting = self.file.try_lock_shared();
            first = wait_for(limit, || begin.execute([]).map(drop));
            if waiting.is_ok() {
                // An error would mean that the lock is not held, which is what is wanted.
                let _ = self.file.unlock();
            }
        }
        first
    }

    /// Steps aside for a moment if somebody waits. `db` has just committed.
    pub(crate) fn step_aside(&mut self, db: &Connection) {
        if self.skip > 0 {
            self.skip -= 1;
            return;
        }
        if !self.somebody_waits() {
            return;
        }
        let before = changes(db);
        let mut waited = Duration::ZERO;
        while waited < ASIDE {
            waited += pause(SHORT);
            if !self.somebody_waits() || changes(db) != before {
                return;
            }
        }
        if !is_taken(db) {
            self.skip = SKIPPED;
        }
    }

    fn somebody_waits(&self) -> bool {
        let free = self.file.try_lock().is_ok();
        if free {
            let _ = self.file.unlock();
        }
        !free
    }
}

fn wait_for(limit: Duration, mut attempt: impl FnMut() -> rusqlite::Result<()>) -> rusqlite::Result<()> {
    let mut waited = Duration::ZERO;
    loop {
        match attempt() {
            Err(error) if is_busy(&error) && waited < limit => {
                waited += pause(if waited < EAGER { SHORT } else { LONG });
            }
            answer => return answer,
        }
    }
}

/// Counts the commits of others, as this connection sees them.
fn changes(db: &Connection) -> i64 {
    db.prepare_cached("PRAGMA data_version")
        .and_then(|mut query| query.query_row([], |row| row.get(0)))
        .unwrap_or_default()
}

/// Whether another process is writing now.
fn is_taken(db: &Connection) -> bool {
    let attempt = db.prepare_cached("BEGIN IMMEDIATE").and_then(|mut begin| begin.execute([]));
    match attempt {
        Ok(_) => {
            let _ = db.prepare_cached("ROLLBACK").and_then(|mut rollback| rollback.execute([]));
            false
        }
        Err(error) => is_busy(&error),
    }
}
