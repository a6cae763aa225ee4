//! The table `dead`: messages that could not be executed.

use cardoon_broker::{DeadFilter, DeadLetter};
use cardoon_core::{DeadReason, Timestamp};
use rusqlite::types::{Type, Value};
use rusqlite::{Connection, Row, params, params_from_iter};

use super::messages::{self, Stored};
use super::{Step, prepare, queues};

/// Buries message `seq`.
pub(crate) fn insert(step: &Step<'_>, seq: i64, reason: DeadReason, detail: &str) -> rusqlite::Result<()> {
    step.execute(
        "INSERT INTO dead (seq, reason, detail, died_at) VALUES (?1, ?2, ?3, ?4)",
        params![seq, reason.as_str(), detail, step.now.0],
    )
    .map(drop)
}

pub(crate) fn delete(step: &Step<'_>, seq: i64) -> rusqlite::Result<()> {
    step.execute("DELETE FROM dead WHERE seq = ?1", [seq]).map(drop)
}

pub(crate) fn contains(db: &Connection, seq: i64) -> rusqlite::Result<bool> {
    prepare(db, "SELECT 1 FROM dead WHERE seq = ?1")?.exists([seq])
}

/// The matching messages that are at most as new as number `newest`, newest first.
pub(crate) fn matching(
    db: &Connection,
    filter: &DeadFilter,
    newest: i64,
    limit: usize,
) -> rusqlite::Result<Vec<(i64, Stored)>> {
    let read = |row: &Row<'_>| Ok((row.get(messages::WIDTH)?, Stored::read(row)?));
    select(db, filter, newest, limit, read)
}

pub(crate) fn list(db: &Connection, filter: &DeadFilter, limit: usize) -> rusqlite::Result<Vec<DeadLetter>> {
    select(db, filter, i64::MAX, limit, |row| read_letter(db, row))
}

/// The number of the newest dead letter, 0 if there never was one.
pub(crate) fn newest(db: &Connection) -> rusqlite::Result<i64> {
    db.query_row("SELECT coalesce(max(n), 0) FROM dead", [], |row| row.get(0))
}

fn select<T>(
    db: &Connection,
    filter: &DeadFilter,
    newest: i64,
    limit: usize,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    let mut sql = String::from(concat!(
        "SELECT ",
        messages::columns!(),
        ", d.n, d.reason, d.detail, d.died_at FROM dead d JOIN message m ON m.seq = d.seq WHERE d.n <= ?"
    ));
    let mut values = vec![Value::from(newest)];
    if !filter.ids.is_empty() {
        sql += " AND m.id IN (";
        sql += &vec!["?"; filter.ids.len()].join(", ");
        sql += ")";
        values.extend(filter.ids.iter().map(|id| Value::from(id.as_str().to_owned())));
    }
    if let Some(queue) = &filter.queue {
        sql += " AND m.queue = (SELECT id FROM queue WHERE name = ?)";
        values.push(Value::from(queue.as_str().to_owned()));
    }
    if let Some(reason) = filter.reason {
        sql += " AND d.reason = ?";
        values.push(Value::from(reason.as_str().to_owned()));
    }
    sql += " ORDER BY d.n DESC LIMIT ?";
    values.push(Value::from(i64::try_from(limit).unwrap_or(i64::MAX)));
    db.prepare(&sql)?.query_map(params_from_iter(values), read)?.collect()
}

fn read_letter(db: &Connection, row: &Row<'_>) -> rusqlite::Result<DeadLetter> {
    let stored = Stored::read(row)?;
    let column = messages::WIDTH + 1;
    let reason: String = row.get(column)?;
    let unknown = || rusqlite::Error::InvalidColumnType(column, "reason".into(), Type::Text);
    Ok(DeadLetter {
        queue: queues::known_name(db, stored.queue)?,
        deaths: stored.deaths,
        message: stored.message,
        reason: DeadReason::parse(&reason).ok_or_else(unknown)?,
        detail: row.get(column + 1)?,
        died_at: Timestamp(row.get(column + 2)?),
    })
}

/// Deletes a dead letter with its message.
pub(crate) fn remove(step: &Step<'_>, seq: i64) -> rusqlite::Result<()> {
    delete(step, seq)?;
    messages::delete(step, seq)
}

/// Deletes dead letters that died before `before`, oldest first.
pub(crate) fn prune(step: &Step<'_>, before: Timestamp, limit: usize) -> rusqlite::Result<usize> {
    let old = step.all(
        "SELECT seq FROM dead WHERE died_at < ?1 ORDER BY n LIMIT ?2",
        params![before.0, limit as i64],
        |row| row.get(0),
    )?;
    old.iter().try_for_each(|seq| remove(step, *seq))?;
    Ok(old.len())
}
