use std::path::PathBuf;
use std::time::Duration;

use cardoon_errors::{Code, Error, Result};

use super::existing::{BUSY, Existing};
use super::room;
use super::sizes::Sizes;
use crate::layout::{is_busy, pause};
use crate::live::LiveFolder;
use crate::turn::Turn;

/// Pages that one transaction gives back: others wait for it for a few milliseconds.
const SLICE: u64 = 256;

/// Between two slices, so that somebody who does not wait yet gets in between.
const BREATH: Duration = Duration::from_millis(2);

/// How long a shortening of the log may keep writers from writing, and how often it is tried.
const IN_THE_WAY: Duration = Duration::from_millis(50);
const TRIES: u32 = 200;

/// Which space is given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Space {
    /// That of the write-ahead log.
    Log,
    /// That of pages which hold nothing, a few at a time.
    Free,
    /// The file is rewritten. It holds the write lock for the whole time, and workers wait.
    All,
}

/// What was given back.
#[derive(Debug, Clone)]
pub struct VacuumReport {
    pub path: PathBuf,
    pub before: Sizes,
    pub after: Sizes,
}

/// Gives space of the database at `path` back to the disk, beside its workers.
///
/// With [`Space::All`] workers and senders wait until it is over; what has to wait longer than their `busy_limit` (30 s)
/// fails with `CD1110`, and is tried again by workers. Heartbeats do not use the lock, so nobody is taken for dead.
///
/// # Errors
/// `CD1007` for [`Space::Free`] if the file is of a kind that must be rewritten, `CD1110` if somebody reads or writes for so
/// long that it cannot be done, `CD1114` if rewriting does not fit on the disk; and what opening the database answers.
pub fn vacuum(path: &std::path::Path, space: Space) -> Result<VacuumReport> {
    let existing = Existing::open(path)?;
    let sizes = || Sizes::of(&existing.db, &existing.path).map_err(|error| existing.failed(error, "read"));
    let before = sizes()?;
    match space {
        Space::Log => {}
        Space::Free => give_back(&existing, &before)?,
        Space::All => rewrite(&existing)?,
    }
    shorten_log(&existing)?;
    let after = sizes()?;
    Ok(VacuumReport { path: existing.path, before, after })
}

/// Gives back the pages that are free by now, in turn with those who write.
fn give_back(existing: &Existing, sizes: &Sizes) -> Result<()> {
    if !sizes.gives_back && sizes.free > 0 {
        return Err(must_be_rewritten(existing));
    }
    let mut turn = turn(existing)?;
    let mut left = sizes.free / sizes.page.max(1);
    while left > 0 {
        let slice = left.min(SLICE);
        give_back_slice(existing, &mut turn, slice).map_err(|error| {
            if !existing.db.is_autocommit() {
                // The transaction goes with the connection in any case.
                let _ = existing.db.execute_batch("ROLLBACK");
            }
            existing.failed(error, "give space back")
        })?;
        left -= slice;
        turn.step_aside(&existing.db);
        pause(BREATH);
    }
    Ok(())
}

fn give_back_slice(existing: &Existing, turn: &mut Turn, pages: u64) -> rusqlite::Result<()> {
    turn.begin(&existing.db, BUSY)?;
    // A page is given back with each row.
    let mut freeing = existing.db.prepare(&format!("PRAGMA incremental_vacuum({pages})"))?;
    let mut rows = freeing.query([])?;
    while rows.next()?.is_some() {}
    drop(rows);
    existing.db.execute_batch("COMMIT")
}

/// Writes the whole file anew. From then on its free pages can be given back singly.
fn rewrite(existing: &Existing) -> Result<()> {
    let used = Sizes::used(&existing.db).map_err(|error| existing.failed(error, "read"))?;
    let folder = existing.path.parent().unwrap_or(&existing.path);
    room::require(&[(folder, used), (&room::temporary_folder(), used)])?;
    let mut turn = turn(existing)?;
    let failed = |error| existing.failed(error, "rewrite the database");
    existing.db.execute_batch("PRAGMA auto_vacuum = INCREMENTAL").map_err(failed)?;
    existing.db.busy_timeout(Duration::ZERO).map_err(failed)?;
    turn.when_free(BUSY, || existing.db.execute_batch("VACUUM")).map_err(failed)
}

/// Writes the log back into the file and empties it, as soon as nobody is in the way.
fn shorten_log(existing: &Existing) -> Result<()> {
    let db = &existing.db;
    let shorten = || -> rusqlite::Result<bool> {
        db.busy_timeout(IN_THE_WAY)?;
        match db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0)) {
            Ok(in_the_way) => Ok(in_the_way == 0),
            Err(error) if is_busy(&error) => Ok(false),
            Err(error) => Err(error),
        }
    };
    for _ in 0..TRIES {
        if shorten().map_err(|error| existing.failed(error, "shorten the log"))? {
            return Ok(());
        }
        pause(IN_THE_WAY);
    }
    let path = existing.path.display();
    Err(Error::new(
        Code::DatabaseBusy,
        format!("somebody reads {path} all the time: its log cannot be shortened"),
    )
    .hint(format!("find who reads it: fuser {path}")))
}

fn turn(existing: &Existing) -> Result<Turn> {
    Ok(Turn::new(LiveFolder::of(&existing.path)?.file("turn")?))
}

fn must_be_rewritten(existing: &Existing) -> Error {
    let path = existing.path.display();
    Error::new(
        Code::Unsupported,
        format!("{path} is of an older kind, which gives back nothing without being rewritten"),
    )
    .hint("cardoon db vacuum --full, at a time when workers may wait for it")
}
