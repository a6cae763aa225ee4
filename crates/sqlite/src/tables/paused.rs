//! The table `paused`: queues that nothing is taken from.

use rusqlite::Connection;

use super::{Step, all, prepare};
use crate::live::Bell;

/// Answers whether it was not paused before.
pub(crate) fn insert(step: &Step<'_>, queue: i64) -> rusqlite::Result<bool> {
    Ok(step.execute("INSERT INTO paused (queue) VALUES (?1) ON CONFLICT DO NOTHING", [queue])? > 0)
}

/// Answers whether it was paused.
pub(crate) fn delete(step: &mut Step<'_>, queue: i64) -> rusqlite::Result<bool> {
    let was_paused = step.execute("DELETE FROM paused WHERE queue = ?1", [queue])? > 0;
    step.ring(Bell::QUEUE);
    Ok(was_paused)
}

/// Those of `queues` that are not paused.
pub(crate) fn without(db: &Connection, queues: &[i64]) -> rusqlite::Result<Vec<i64>> {
    let mut query = prepare(db, "SELECT 1 FROM paused WHERE queue = ?1")?;
    let mut open = Vec::with_capacity(queues.len());
    for queue in queues {
        if !query.exists([queue])? {
            open.push(*queue);
        }
    }
    Ok(open)
}

/// The numbers of the paused queues.
pub(crate) fn list(db: &Connection) -> rusqlite::Result<Vec<i64>> {
    all(db, "SELECT queue FROM paused", [], |row| row.get(0))
}
