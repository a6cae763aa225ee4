use std::path::Path;

use rusqlite::Connection;

use crate::guard::beside;

/// What a database takes of the disk, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sizes {
    /// The database file.
    pub file: u64,
    /// The write-ahead log beside it.
    pub log: u64,
    /// Of the file: pages that hold nothing and are used again.
    pub free: u64,
    pub page: u64,
    /// Whether free pages can be given back without rewriting the file.
    pub gives_back: bool,
}

impl Sizes {
    pub(super) fn of(db: &Connection, path: &Path) -> rusqlite::Result<Self> {
        let number = |name| db.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        let page = number("page_size")? as u64;
        // A file that is gone by now has no size.
        let bytes = |path: &Path| path.metadata().map_or(0, |found| found.len());
        Ok(Self {
            file: bytes(path),
            log: bytes(&beside(path, "-wal")),
            free: number("freelist_count")? as u64 * page,
            page,
            gives_back: number("auto_vacuum")? == 2,
        })
    }

    /// What holds something.
    pub(super) fn used(db: &Connection) -> rusqlite::Result<u64> {
        let number = |name| db.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        Ok(((number("page_count")? - number("freelist_count")?) * number("page_size")?) as u64)
    }
}
