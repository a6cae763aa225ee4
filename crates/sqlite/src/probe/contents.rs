//! Is the database ours, can it be written, and is it sound?

use std::path::Path;
use std::time::Duration;

use cardoon_errors::{Code, Error, Finding};
use rusqlite::{Connection, OpenFlags};
use rustix::fs::{Access, access};

use super::place;
use super::rounds::{Found, ProbeLimits};
use crate::additions;
use crate::failure;
use crate::guard::beside;
use crate::layout;

/// How long a foreign lock is stood.
const BUSY: Duration = Duration::from_secs(1);

const MEBIBYTE: u64 = 1024 * 1024;

/// A database of ours.
pub(super) struct Opened {
    pub(super) db: Connection,
    /// The size of file and log.
    pub(super) bytes: u64,
}

/// Opens the database, which must exist.
pub(super) fn open(path: &Path, limits: &ProbeLimits) -> Found<Opened> {
    let mut findings = Vec::new();
    let outcome = examine(path, limits, &mut findings);
    (findings, outcome)
}

fn examine(path: &Path, limits: &ProbeLimits, findings: &mut Vec<Finding>) -> Result<Opened, Finding> {
    // Before it is opened: whoever closes a database last takes its log away.
    let log = size(&beside(path, "-wal"));
    writable(path)?;
    let failed = |error| Finding::error("owner", failure::of_sqlite(error, path, "open the database"));
    let db = connect(path).map_err(failed)?;
    match layout::check_owner(&db, path) {
        Ok(Some(layout)) => findings.push(Finding::fine("owner", format!("it is ours, of layout {layout}"))),
        Ok(None) => return Err(place::missing(path)),
        Err(error) => return Err(Finding::error("owner", error)),
    }
    findings.push(Finding::fine("writes", "it can be written"));
    findings.push(length(path, log, limits));
    if !additions::missing(&db).map_err(failed)?.is_empty() {
        let why = "an older Cardoon made it; the first worker or task adds what it lacks";
        return Err(Finding::unchecked("layout", why));
    }
    Ok(Opened { bytes: size(path) + log, db })
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags)?;
    db.busy_timeout(BUSY)?;
    Ok(db)
}

/// The database is several files, and every process of it writes them all.
fn writable(path: &Path) -> Result<(), Finding> {
    let parts = ["", "-wal", "-shm", ".live", ".live/open", ".live/turn"];
    for part in parts.map(|suffix| beside(path, suffix)) {
        if !part.exists() {
            continue;
        }
        access(&part, Access::WRITE_OK).map_err(|error| {
            let error = Error::new(Code::ReadOnly, format!("{} cannot be written", part.display()))
                .source(std::io::Error::from(error))
                .hint(format!("look at the rights of the file and its folder: ls -l {}*", path.display()));
            Finding::error("writes", error)
        })?;
    }
    Ok(())
}

fn length(path: &Path, log: u64, limits: &ProbeLimits) -> Finding {
    const CHECK: &str = "log";
    if log <= limits.log {
        return Finding::fine(CHECK, format!("the write-ahead log has {} MiB", log / MEBIBYTE));
    }
    let path = path.display();
    let error = Error::new(Code::LogTooLong, format!("the write-ahead log of {path} does not shrink"))
        .checked(format!("length: {} MiB", log / MEBIBYTE))
        .hint(format!("find who reads all the time: fuser -v {path}; then: cardoon db vacuum --wal"));
    Finding::warning(CHECK, error)
}

/// Reads all of the database.
pub(super) fn sound(check: &'static str, db: &Connection, path: &Path) -> Finding {
    let answer: rusqlite::Result<String> = db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0));
    match answer {
        Ok(answer) if answer == "ok" => Finding::fine(check, "it is sound"),
        Ok(answer) => {
            let error = Error::new(Code::Corrupt, format!("{} is damaged", path.display()))
                .checked(answer)
                .hint("all damages: cardoon db check --full; then restore a copy");
            Finding::error(check, error)
        }
        Err(error) => Finding::error(check, failure::of_sqlite(error, path, "read")),
    }
}

fn size(path: &Path) -> u64 {
    path.metadata().map_or(0, |found| found.len())
}
