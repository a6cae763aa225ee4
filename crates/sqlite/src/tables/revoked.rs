//! The table `revoked`: ids that must not be executed, although a message of theirs may still come.

use cardoon_core::{TaskId, Timestamp};
use rusqlite::{Connection, params};

use super::messages::task_id;
use super::{Step, all, prepare};

pub(crate) fn insert(step: &Step<'_>, id: &TaskId) -> rusqlite::Result<()> {
    step.execute("INSERT OR REPLACE INTO revoked (id, at) VALUES (?1, ?2)", params![id.as_str(), step.now.0])
        .map(drop)
}

pub(crate) fn delete(step: &Step<'_>, id: &TaskId) -> rusqlite::Result<()> {
    step.execute("DELETE FROM revoked WHERE id = ?1", [id.as_str()]).map(drop)
}

pub(crate) fn any(step: &Step<'_>) -> rusqlite::Result<bool> {
    Ok(step.first("SELECT 1 FROM revoked LIMIT 1", [], |_| Ok(()))?.is_some())
}

pub(crate) fn contains(step: &Step<'_>, id: &TaskId) -> rusqlite::Result<bool> {
    Ok(step.first("SELECT 1 FROM revoked WHERE id = ?1", [id.as_str()], |_| Ok(()))?.is_some())
}

/// The number of the newest revoke, 0 if there is none.
pub(crate) fn newest(db: &Connection) -> rusqlite::Result<i64> {
    prepare(db, "SELECT coalesce(max(n), 0) FROM revoked")?.query_row([], |row| row.get(0))
}

/// The ids that `session` holds and that were revoked after number `n`, with the revokes' numbers.
pub(crate) fn of_session(db: &Connection, session: i64, n: i64) -> rusqlite::Result<Vec<(i64, TaskId)>> {
    all(
        db,
        "SELECT r.n, r.id FROM revoked r
         WHERE r.n > ?1 AND EXISTS (
             SELECT 1 FROM task t JOIN held h ON h.session = ?2 AND h.seq = t.seq WHERE t.id = r.id
         ) ORDER BY r.n",
        [n, session],
        |row| Ok((row.get(0)?, task_id(row, 1)?)),
    )
}

pub(crate) fn prune(step: &Step<'_>, before: Timestamp, limit: usize) -> rusqlite::Result<usize> {
    step.execute(
        "DELETE FROM revoked WHERE n IN (SELECT n FROM revoked WHERE at < ?1 ORDER BY n LIMIT ?2)",
        [before.0, limit as i64],
    )
}
