//! The table `event`: batches of events, a ring.

use cardoon_core::{Event, Timestamp};
use rusqlite::types::Type;
use rusqlite::{Connection, params};

use super::{Step, all, prepare};
use crate::live::Bell;

/// So many batches are kept at most.
const RING: i64 = 10_000;

/// Appends a batch of events, as JSON.
pub(crate) fn insert(step: &mut Step<'_>, batch: &str) -> rusqlite::Result<()> {
    step.execute("INSERT INTO event (at, batch) VALUES (?1, ?2)", params![step.now.0, batch])?;
    step.ring(Bell::EVENT);
    Ok(())
}

/// The number of the newest batch, 0 if there never was one.
pub(crate) fn newest(db: &Connection) -> rusqlite::Result<i64> {
    prepare(db, "SELECT coalesce(max(n), 0) FROM event")?.query_row([], |row| row.get(0))
}

/// The batches after number `n`, at most `limit`, each with its number.
pub(crate) fn after(db: &Connection, n: i64, limit: usize) -> rusqlite::Result<Vec<(i64, Vec<Event>)>> {
    all(db, "SELECT n, batch FROM event WHERE n > ?1 ORDER BY n LIMIT ?2", [n, limit as i64], |row| {
        let events = serde_json::from_str(row.get_ref(1)?.as_str()?);
        let bad = |bad| rusqlite::Error::FromSqlConversionFailure(1, Type::Text, Box::new(bad));
        Ok((row.get(0)?, events.map_err(bad)?))
    })
}

pub(crate) fn prune(step: &Step<'_>, before: Timestamp, limit: usize) -> rusqlite::Result<usize> {
    step.execute(
        "DELETE FROM event WHERE n IN (
             SELECT n FROM event WHERE n <= (SELECT max(n) FROM event) - ?1 OR at < ?2 ORDER BY n LIMIT ?3
         )",
        [RING, before.0, limit as i64],
    )
}
