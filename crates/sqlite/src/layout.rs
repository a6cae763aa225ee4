//! Opening a connection, and the layout of the file.

use std::path::Path;
use std::time::Duration;

use cardoon_errors::{Code, Error, Result};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::additions;
use crate::failure;
use crate::options::{SqliteOptions, Synchronous};

/// `CRDN`, in the file's header: the database is ours.
const APPLICATION: i32 = 0x4352_444e;

/// The layout that this code writes and reads.
const VERSION: i32 = 1;

/// How long to wait before a lock is tried again.
const PAUSE: Duration = Duration::from_millis(1);

const STATEMENTS: usize = 96;

/// The write-ahead log is copied into the file after this many pages. The pages of a queue's ends change in nearly
/// every transaction, so the rarer they are copied, the fewer copies there are; 16 MiB of log do not hurt.
const CHECKPOINT_PAGES: u32 = 4000;

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Write,
    Read,
}

/// Opens the file and sets what every connection needs; creates an empty file if there is none.
pub(crate) fn connect(path: &Path, options: &SqliteOptions, purpose: Purpose) -> Result<Connection> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = || -> rusqlite::Result<Connection> {
        let db = Connection::open_with_flags(path, flags)?;
        db.set_prepared_statement_cache_capacity(STATEMENTS);
        // Without it, this build of SQLite plans a statement anew whenever a bound value changes.
        db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        // Another program may be opening or closing the file just now, and holds its lock for that moment.
        db.busy_timeout(options.busy_limit)?;
        set(&db, options, purpose)?;
        Ok(db)
    };
    let db = open().map_err(|error| failure::of_sqlite(error, path, "open the database"))?;
    if db.is_readonly("main").unwrap_or(false) {
        let error = Error::new(Code::ReadOnly, format!("{} cannot be written", path.display()));
        return Err(
            error.hint(format!("look at the rights of the file and its folder: ls -l {}*", path.display()))
        );
    }
    Ok(db)
}

fn set(db: &Connection, options: &SqliteOptions, purpose: Purpose) -> rusqlite::Result<()> {
    let synchronous = match options.synchronous {
        Synchronous::Full => "FULL",
        Synchronous::Normal => "NORMAL",
    };
    let cache_kib = if purpose == Purpose::Write { 4096 } else { 512 };
    db.execute_batch(&format!(
        "PRAGMA synchronous = {synchronous}; PRAGMA cache_size = -{cache_kib}; PRAGMA temp_store = MEMORY;
         PRAGMA wal_autocheckpoint = {}; PRAGMA journal_size_limit = {};",
        CHECKPOINT_PAGES,
        64 * 1024 * 1024
    ))
}

/// Limits the file's size; needs the page size, so the file must have its layout.
pub(crate) fn limit_size(db: &Connection, options: &SqliteOptions) -> rusqlite::Result<()> {
    let Some(bytes) = options.max_bytes else { return Ok(()) };
    let page: i64 = db.pragma_query_value(None, "page_size", |row| row.get(0))?;
    let pages = (bytes / page.max(1) as u64).max(1);
    db.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))
}

/// Whose file it is, by what stands in it. Answers its layout; `None` if it is empty.
pub(crate) fn check_owner(db: &Connection, path: &Path) -> Result<Option<i32>> {
    let found = owner(db).map_err(|error| failure::of_sqlite(error, path, "read the header"))?;
    let shown = path.display();
    match found {
        Owner::Nobody => Ok(None),
        Owner::Cardoon { version } if version <= VERSION => Ok(Some(version)),
        Owner::Cardoon { version } => Err(Error::new(
            Code::NewerLayout,
            format!("{shown} has layout {version}, this program knows {VERSION}"),
        )
        .hint("use the newer Cardoon that wrote the file, or another file")),
        Owner::Other { application, tables } => {
            Err(Error::new(Code::NotOurDatabase, format!("{shown} belongs to another program"))
                .checked(format!("application id: {application:#x}, ours is {APPLICATION:#x}"))
                .checked(format!("tables: {tables}"))
                .hint("choose another file for Cardoon"))
        }
    }
}

enum Owner {
    /// The file is empty.
    Nobody,
    Cardoon {
        version: i32,
    },
    Other {
        application: i32,
        tables: i64,
    },
}

fn owner(db: &Connection) -> rusqlite::Result<Owner> {
    // One transaction, so that a file that is being laid out is seen before or after, never in between.
    let tx = db.unchecked_transaction()?;
    let tables: i64 = tx.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let application: i32 = tx.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let version: i32 = tx.pragma_query_value(None, "user_version", |row| row.get(0))?;
    Ok(match application {
        APPLICATION => Owner::Cardoon { version },
        0 if tables == 0 => Owner::Nobody,
        _ => Owner::Other { application, tables },
    })
}

/// Brings the file to the current layout. The caller holds the lock on opening, so that no two do this at once;
/// other programs that hold the file are waited for.
pub(crate) fn prepare(db: &Connection, path: &Path, busy_limit: Duration) -> Result<()> {
    let failed = |error| failure::of_sqlite(error, path, "lay out the database");
    // SQLite does not wait by itself for a change of the journal's mode.
    db.busy_timeout(Duration::ZERO).map_err(failed)?;
    let mut waited = Duration::ZERO;
    loop {
        match try_prepare(db) {
            Ok(()) => return db.busy_timeout(busy_limit).map_err(failed),
            Err(error) if is_busy(&error) && waited < busy_limit => waited += pause(PAUSE),
            Err(error) => return Err(failed(error)),
        }
    }
}

fn try_prepare(db: &Connection) -> rusqlite::Result<()> {
    if matches!(owner(db)?, Owner::Nobody) {
        // Only a file in which nothing is written yet becomes one that gives back free pages without being rewritten.
        db.execute_batch("PRAGMA auto_vacuum = INCREMENTAL")?;
    }
    let mode: String = db.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
    if mode != "wal" {
        db.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    }
    if matches!(owner(db)?, Owner::Nobody) {
        let layout = include_str!("layout.sql");
        let marks = format!("PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {VERSION};");
        in_one_step(db, &format!("{layout} {marks}"))?;
    }
    let missing = additions::missing(db)?;
    if missing.is_empty() { Ok(()) } else { in_one_step(db, &missing) }
}

fn in_one_step(db: &Connection, statements: &str) -> rusqlite::Result<()> {
    let done = db.execute_batch(&format!("BEGIN IMMEDIATE; {statements} COMMIT;"));
    if done.is_err() && !db.is_autocommit() {
        db.execute_batch("ROLLBACK")?;
    }
    done
}

pub(crate) fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

/// Waits a moment before a lock is tried again, and answers how long.
#[expect(
    clippy::disallowed_methods,
    reason = "file locks cannot be waited for in any other way with a limit"
)]
pub(crate) fn pause(moment: Duration) -> Duration {
    std::thread::sleep(moment);
    moment
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prepared(path: &Path) -> Connection {
        let options = SqliteOptions::default();
        let db = connect(path, &options, Purpose::Write).unwrap();
        check_owner(&db, path).unwrap();
        prepare(&db, path, Duration::from_secs(5)).unwrap();
        db
    }

    #[test]
    fn a_file_of_another_program_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("other.db");
        Connection::open(&path).unwrap().execute_batch("CREATE TABLE notes (text)").unwrap();
        let db = connect(&path, &SqliteOptions::default(), Purpose::Write).unwrap();
        assert_eq!(check_owner(&db, &path).unwrap_err().code(), Code::NotOurDatabase);
    }

    #[test]
    fn a_newer_layout_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tasks.db");
        let db = prepared(&path);
        db.execute_batch("PRAGMA user_version = 99").unwrap();
        assert_eq!(check_owner(&db, &path).unwrap_err().code(), Code::NewerLayout);
    }

    #[test]
    fn a_second_preparation_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tasks.db");
        let schema = |db: &Connection| -> i64 {
            db.pragma_query_value(None, "schema_version", |row| row.get(0)).unwrap()
        };
        let first = schema(&prepared(&path));
        assert_eq!(schema(&prepared(&path)), first);
    }
}
