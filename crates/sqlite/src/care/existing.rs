use std::path::{Path, PathBuf};
use std::time::Duration;

use cardoon_errors::{Code, Error, Result};
use rusqlite::{Connection, OpenFlags};

use crate::failure;
use crate::guard;
use crate::layout;

/// How long a foreign lock is stood.
pub(super) const BUSY: Duration = Duration::from_secs(30);

/// A database of ours that exists, with a connection beside those of its workers.
pub(super) struct Existing {
    pub(super) db: Connection,
    pub(super) path: PathBuf,
    pub(super) layout: i32,
}

impl Existing {
    /// Opens the database at `path`.
    ///
    /// # Errors
    /// `CD1112` if there is none, `CD1102` if it is not ours, `CD1103` if a newer Cardoon wrote it, `CD1104` if it is on
    /// a network file system, `CD1111` if it is damaged.
    pub(super) fn open(path: &Path) -> Result<Self> {
        guard::check_sqlite_version()?;
        let path = path.canonicalize().map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => none(path),
            _ => failure::of_file(error, path, "open"),
        })?;
        guard::check_filesystem(path.parent().unwrap_or(&path))?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let open = || -> rusqlite::Result<Connection> {
            let db = Connection::open_with_flags(&path, flags)?;
            db.busy_timeout(BUSY)?;
            // What is sorted on the way may be as large as the database.
            db.execute_batch("PRAGMA temp_store = FILE; PRAGMA synchronous = FULL")?;
            Ok(db)
        };
        let db = open().map_err(|error| failure::of_sqlite(error, &path, "open the database"))?;
        match layout::check_owner(&db, &path)? {
            Some(layout) => Ok(Self { db, path, layout }),
            None => Err(none(&path)),
        }
    }

    /// What went wrong while `doing`.
    pub(super) fn failed(&self, error: rusqlite::Error, doing: &str) -> Error {
        failure::of_sqlite(error, &self.path, doing)
    }
}

fn none(path: &Path) -> Error {
    Error::new(Code::NoDatabase, format!("there is no database {} yet", path.display()))
        .checked("nothing was made")
}
