//! The places of messages: `ready`, `delayed` and `held`.

use cardoon_core::{Lease, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

use super::{Step, prepare};
use crate::live::Bell;

/// Where a message is in a queue's order: its queue and its rank, 9 - priority.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Line {
    pub(crate) queue: i64,
    pub(crate) rank: u8,
}

impl Line {
    pub(crate) fn new(queue: i64, priority: cardoon_core::Priority) -> Self {
        Self { queue, rank: 9 - priority.level() }
    }
}

/// A place at the back of `line`, given to the caller.
pub(crate) fn next_back(step: &mut Step<'_>, line: Line) -> rusqlite::Result<i64> {
    let known = step.state.backs.get(&(line.queue, line.rank)).copied();
    let pos = match known {
        Some(pos) => pos,
        None => end_of(step, line, "max")?.map_or(0, |last| last + 1),
    };
    step.state.backs.insert((line.queue, line.rank), pos + 1);
    Ok(pos)
}

fn end_of(step: &Step<'_>, line: Line, which: &str) -> rusqlite::Result<Option<i64>> {
    let sql = match which {
        "max" => "SELECT max(pos) FROM ready WHERE queue = ?1 AND rank = ?2",
        _ => "SELECT min(pos) FROM ready WHERE queue = ?1 AND rank = ?2",
    };
    step.first(sql, params![line.queue, line.rank], |row| row.get(0)).map(Option::flatten)
}

pub(crate) fn insert_ready(step: &mut Step<'_>, line: Line, pos: i64, seq: i64) -> rusqlite::Result<()> {
    step.execute(
        "INSERT INTO ready (queue, rank, pos, seq) VALUES (?1, ?2, ?3, ?4)",
        params![line.queue, line.rank, pos, seq],
    )?;
    step.ring(Bell::QUEUE);
    Ok(())
}

/// Puts a message back at the head of its line.
pub(crate) fn insert_head(step: &mut Step<'_>, line: Line, seq: i64) -> rusqlite::Result<()> {
    let pos = end_of(step, line, "min")?.map_or(0, |first| first - 1);
    insert_ready(step, line, pos, seq)?;
    step.state.backs.remove(&(line.queue, line.rank));
    step.execute("UPDATE message SET pos = ?2, due = NULL WHERE seq = ?1", [seq, pos]).map(drop)
}

/// Removes message `seq` from `line`, where it may be at `pos`. Answers whether it was there.
pub(crate) fn delete_ready(
    step: &Step<'_>,
    line: Line,
    pos: Option<i64>,
    seq: i64,
) -> rusqlite::Result<bool> {
    let at = "DELETE FROM ready WHERE queue = ?1 AND rank = ?2 AND pos = ?3 AND seq = ?4";
    if let Some(pos) = pos
        && step.execute(at, params![line.queue, line.rank, pos, seq])? > 0
    {
        return Ok(true);
    }
    let anywhere = "DELETE FROM ready WHERE queue = ?1 AND rank = ?2 AND seq = ?3";
    Ok(step.execute(anywhere, params![line.queue, line.rank, seq])? > 0)
}

pub(crate) fn insert_delayed(
    step: &mut Step<'_>,
    line: Line,
    due: Timestamp,
    seq: i64,
) -> rusqlite::Result<()> {
    step.execute(
        "INSERT INTO delayed (due, seq, queue, rank) VALUES (?1, ?2, ?3, ?4)",
        params![due.0, seq, line.queue, line.rank],
    )?;
    step.ring(Bell::QUEUE);
    Ok(())
}

/// Notes in the message until when it was delayed.
pub(crate) fn note_due(step: &Step<'_>, seq: i64, due: Timestamp) -> rusqlite::Result<()> {
    step.execute("UPDATE message SET due = ?2 WHERE seq = ?1", [seq, due.0]).map(drop)
}

pub(crate) fn delete_delayed(step: &Step<'_>, due: i64, seq: i64) -> rusqlite::Result<bool> {
    Ok(step.execute("DELETE FROM delayed WHERE due = ?1 AND seq = ?2", [due, seq])? > 0)
}

/// When the next delayed message is due.
pub(crate) fn next_due(db: &Connection) -> rusqlite::Result<Option<Timestamp>> {
    prepare(db, "SELECT due FROM delayed ORDER BY due LIMIT 1")?
        .query_row([], |row| row.get(0).map(Timestamp))
        .optional()
}

/// The first `limit` delayed messages of these queues: when they are due, and their numbers.
pub(crate) fn delayed_in(
    db: &Connection,
    queues: &[i64],
    limit: usize,
) -> rusqlite::Result<Vec<(Timestamp, i64)>> {
    let mut query = prepare(db, "SELECT due, seq, queue FROM delayed ORDER BY due, seq")?;
    let mut rows = query.query([])?;
    let mut found = Vec::new();
    while found.len() < limit
        && let Some(row) = rows.next()?
    {
        if queues.contains(&row.get(2)?) {
            found.push((Timestamp(row.get(0)?), row.get(1)?));
        }
    }
    Ok(found)
}

/// Moves up to `limit` due messages to the back of their lines.
pub(crate) fn promote(step: &mut Step<'_>, limit: usize) -> rusqlite::Result<()> {
    let due = step.all(
        "SELECT due, seq, queue, rank FROM delayed WHERE due <= ?1 ORDER BY due, seq LIMIT ?2",
        params![step.now.0, limit as i64],
        |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, Line { queue: row.get(2)?, rank: row.get(3)? }))
        },
    )?;
    let Some((last_due, last_seq, _)) = due.last().copied() else { return Ok(()) };
    step.execute("DELETE FROM delayed WHERE (due, seq) <= (?1, ?2)", [last_due, last_seq])?;
    for (_, seq, line) in due {
        let pos = next_back(step, line)?;
        insert_ready(step, line, pos, seq)?;
    }
    Ok(())
}

pub(crate) fn insert_held(step: &Step<'_>, lease: Lease, queue: i64) -> rusqlite::Result<()> {
    step.execute(
        "INSERT INTO held (session, seq, sequence, early, queue) VALUES (?1, ?2, ?3, 0, ?4)",
        params![lease.session as i64, lease.tag as i64, lease.sequence as i64, queue],
    )
    .map(drop)
}

pub(crate) fn mark_early(step: &Step<'_>, session: i64, seq: i64) -> rusqlite::Result<()> {
    step.execute("UPDATE held SET early = 1 WHERE session = ?1 AND seq = ?2", [session, seq]).map(drop)
}

pub(crate) fn delete_held(step: &Step<'_>, session: i64, seq: i64) -> rusqlite::Result<()> {
    step.execute("DELETE FROM held WHERE session = ?1 AND seq = ?2", [session, seq]).map(drop)
}

pub(crate) fn holds_nothing(db: &Connection, session: i64) -> rusqlite::Result<bool> {
    Ok(!prepare(db, "SELECT 1 FROM held WHERE session = ?1")?.exists([session])?)
}

/// Where a message is.
#[derive(Debug)]
pub(crate) enum Found {
    Ready,
    Delayed { due: Timestamp },
    Held { worker: String, file: String, sequence: u64 },
    Dead,
}

pub(crate) fn find(db: &Connection, seq: i64) -> rusqlite::Result<Found> {
    let held = prepare(
        db,
        "SELECT s.worker, s.file, h.sequence FROM session s CROSS JOIN held h ON h.session = s.id AND h.seq = ?1",
    )?
    .query_row([seq], |row| {
        let sequence = row.get::<_, i64>(2)? as u64;
        Ok(Found::Held { worker: row.get(0)?, file: row.get(1)?, sequence })
    })
    .optional()?;
    if let Some(held) = held {
        return Ok(held);
    }
    let due = prepare(
        db,
        "SELECT d.due FROM message m JOIN delayed d ON d.due = m.due AND d.seq = m.seq WHERE m.seq = ?1",
    )?
    .query_row([seq], |row| row.get(0).map(Timestamp))
    .optional()?;
    if let Some(due) = due {
        return Ok(Found::Delayed { due });
    }
    Ok(if super::dead::contains(db, seq)? { Found::Dead } else { Found::Ready })
}

/// Which session holds message `seq`, under which sequence.
pub(crate) fn holder(db: &Connection, seq: i64) -> rusqlite::Result<Option<(i64, u64)>> {
    prepare(
        db,
        "SELECT s.id, h.sequence FROM session s CROSS JOIN held h ON h.session = s.id AND h.seq = ?1",
    )?
    .query_row([seq], |row| Ok((row.get(0)?, row.get::<_, i64>(1)? as u64)))
    .optional()
}
