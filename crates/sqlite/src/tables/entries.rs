//! The table `entry`: values under keys, each with a version.

use bytes::Bytes;
use cardoon_coord::Entry;
use cardoon_core::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::{Step, prepare};

/// What stands under `key` and has not expired.
pub(crate) fn get(db: &Connection, key: &str, now: Timestamp) -> rusqlite::Result<Option<Entry>> {
    prepare(db, "SELECT version, value FROM entry WHERE key = ?1 AND (until IS NULL OR until > ?2)")?
        .query_row(params![key, now.0], |row| {
            let value = Bytes::copy_from_slice(row.get_ref(1)?.as_blob()?);
            Ok(Entry { version: row.get::<_, i64>(0)? as u64, value })
        })
        .optional()
}

/// Writes whatever stands there; answers the version.
pub(crate) fn put(
    step: &Step<'_>,
    key: &str,
    value: &[u8],
    until: Option<Timestamp>,
) -> rusqlite::Result<u64> {
    step.execute("DELETE FROM entry WHERE key = ?1", [key])?;
    let sql = "INSERT INTO entry (key, value, until) VALUES (?1, ?2, ?3)";
    step.execute(sql, params![key, value, until.map(|until| until.0)])?;
    Ok(step.db.last_insert_rowid() as u64)
}

/// Answers whether there was one that had not expired.
pub(crate) fn delete(step: &Step<'_>, key: &str) -> rusqlite::Result<bool> {
    let was_there = get(step.db, key, step.now)?.is_some();
    step.execute("DELETE FROM entry WHERE key = ?1", [key])?;
    Ok(was_there)
}

pub(crate) fn prune(step: &Step<'_>, limit: usize) -> rusqlite::Result<usize> {
    step.execute(
        "DELETE FROM entry WHERE version IN (SELECT version FROM entry WHERE until <= ?1 ORDER BY until LIMIT ?2)",
        params![step.now.0, limit as i64],
    )
}
