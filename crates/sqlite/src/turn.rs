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
    /// Whether another process wanted to write at the last transaction.
    contended: bool,
}

impl Turn {
    pub(crate) fn new(file: File) -> Self {
        Self { file, skip: 0, contended: false }
    }

    /// Begins a transaction that writes, in turn with other processes; `SQLITE_BUSY` when that takes longer than
    /// `limit`.
    pub(crate) fn begin(&mut self, db: &Connection, limit: Duration) -> rusqlite::Result<()> {
        let mut begin = db.prepare_cached("BEGIN IMMEDIATE")?;
        self.when_free(limit, || begin.execute([]).map(drop))
    }

    /// Tries `attempt`, which needs the write lock, until it gets it; `SQLITE_BUSY` when that takes longer than `limit`.
    pub(crate) fn when_free(
        &mut self,
        limit: Duration,
        mut attempt: impl FnMut() -> rusqlite::Result<()>,
    ) -> rusqlite::Result<()> {
        let mut waited = Duration::ZERO;
        let mut is_seen = false;
        let answer = loop {
            match attempt() {
                Err(error) if is_busy(&error) && waited < limit => {
                    // It cannot be had while a committing process looks at it.
                    is_seen = is_seen || self.file.try_lock_shared().is_ok();
                    waited += pause(if waited < EAGER { SHORT } else { LONG });
                }
                answer => break answer,
            }
        };
        self.contended = !waited.is_zero();
        if is_seen {
            // An error would mean that the lock is not held, which is what is wanted.
            let _ = self.file.unlock();
        }
        answer
    }

    /// Steps aside for a moment if somebody waits; answers whether it did. `db` has just committed.
    pub(crate) fn step_aside(&mut self, db: &Connection) -> bool {
        if self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        if !self.somebody_waits() {
            return false;
        }
        self.contended = true;
        let before = changes(db);
        let mut waited = Duration::ZERO;
        while waited < ASIDE {
            waited += pause(SHORT);
            if !self.somebody_waits() || changes(db) != before {
                return true;
            }
        }
        if !is_taken(db) {
            self.skip = SKIPPED;
        }
        true
    }

    /// Whether another process wanted to write at the last transaction.
    pub(crate) fn is_contended(&self) -> bool {
        self.contended
    }

    fn somebody_waits(&self) -> bool {
        let free = self.file.try_lock().is_ok();
        if free {
            let _ = self.file.unlock();
        }
        !free
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::OpenOptions;
    use std::path::Path;

    const LIMIT: Duration = Duration::from_secs(20);

    fn db(folder: &Path) -> Connection {
        let db = Connection::open(folder.join("tasks.db")).unwrap();
        db.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; CREATE TABLE IF NOT EXISTS t (n)",
        )
        .unwrap();
        db
    }

    fn file(folder: &Path) -> File {
        OpenOptions::new().create(true).truncate(false).write(true).open(folder.join("turn")).unwrap()
    }

    fn commit(db: &Connection) {
        db.execute_batch("INSERT INTO t VALUES (1); COMMIT").unwrap();
    }

    #[test]
    fn a_writer_that_waits_gets_its_turn_from_one_that_never_pauses() {
        let folder = tempfile::tempdir().unwrap();
        let (mine, other) = (db(folder.path()), db(folder.path()));
        let mut turn = Turn::new(file(folder.path()));
        let mut other_turn = Turn::new(file(folder.path()));
        turn.begin(&mine, LIMIT).unwrap();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(move || other_turn.begin(&other, LIMIT).map(|()| commit(&other)));
            for _ in 0..100_000 {
                commit(&mine);
                turn.step_aside(&mine);
                if waiting.is_finished() {
                    return;
                }
                turn.begin(&mine, LIMIT).unwrap();
            }
            panic!("the other one never got its turn");
        });
    }

    #[test]
    fn one_that_waits_and_never_takes_its_turn_hardly_brakes_the_others() {
        let folder = tempfile::tempdir().unwrap();
        let db = db(folder.path());
        let mut turn = Turn::new(file(folder.path()));
        let stopped = file(folder.path());
        stopped.lock_shared().unwrap();
        let asides = (0..10 * SKIPPED).filter(|_| turn.step_aside(&db)).count();
        assert!((1..=10).contains(&asides), "stepped aside {asides} times");
    }
}
