//! The table `dead`: messages that could not be executed.

use cardoon_broker::{DeadFilter, DeadLetter};
use cardoon_core::{DeadReason, Priority, TaskId, Timestamp};
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

/// Buries message `seq` as `letter` says.
pub(crate) fn insert_of(step: &Step<'_>, seq: i64, letter: &DeadLetter) -> rusqlite::Result<()> {
    step.execute(
        "INSERT INTO dead (seq, reason, detail, died_at) VALUES (?1, ?2, ?3, ?4)",
        params![seq, letter.reason.as_str(), letter.detail, letter.died_at.0],
    )
    .map(drop)
}

/// Whether task `id` has a letter of this time.
pub(crate) fn is_known(db: &Connection, id: &TaskId, died_at: Timestamp) -> rusqlite::Result<bool> {
    let sql = "SELECT 1 FROM dead d JOIN message m ON m.seq = d.seq WHERE d.died_at = ?2 AND m.id = ?1";
    prepare(db, sql)?.exists(params![id.as_str(), died_at.0])
}

pub(crate) fn delete(step: &Step<'_>, seq: i64) -> rusqlite::Result<()> {
    step.execute("DELETE FROM dead WHERE seq = ?1", [seq]).map(drop)
}

pub(crate) fn contains(db: &Connection, seq: i64) -> rusqlite::Result<bool> {
    prepare(db, "SELECT 1 FROM dead WHERE seq = ?1")?.exists([seq])
}

/// What moves a dead letter: all but its bytes, which may be many.
pub(crate) struct Letter {
    pub(crate) n: i64,
    pub(crate) seq: i64,
    pub(crate) queue: i64,
    pub(crate) id: TaskId,
    pub(crate) priority: Priority,
    /// Of its message, as stored.
    pub(crate) bytes: usize,
}

/// The first matching letters that are at most as new as number `newest`, newest first: up to `limit`, and none after
/// those before it have `max_bytes`.
pub(crate) fn matching(
    db: &Connection,
    filter: &DeadFilter,
    newest: i64,
    limit: usize,
    max_bytes: usize,
) -> rusqlite::Result<Vec<Letter>> {
    let (condition, mut values) = condition(filter, newest);
    let sql = format!(
        "SELECT d.n, m.seq, m.queue, m.id, m.priority, length(m.headers) + length(m.body)
         FROM dead d JOIN message m ON m.seq = d.seq WHERE {condition} ORDER BY d.n DESC LIMIT ?"
    );
    values.push(Value::from(i64::try_from(limit).unwrap_or(i64::MAX)));
    let mut query = db.prepare(&sql)?;
    let mut rows = query.query(params_from_iter(values))?;
    let (mut letters, mut bytes) = (Vec::new(), 0);
    while bytes < max_bytes
        && let Some(row) = rows.next()?
    {
        let letter = Letter::read(row)?;
        bytes += letter.bytes;
        letters.push(letter);
    }
    Ok(letters)
}

impl Letter {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            n: row.get(0)?,
            seq: row.get(1)?,
            queue: row.get(2)?,
            id: messages::task_id(row, 3)?,
            priority: Priority::new(row.get(4)?),
            bytes: row.get::<_, i64>(5)? as usize,
        })
    }
}

pub(crate) fn list(db: &Connection, filter: &DeadFilter, limit: usize) -> rusqlite::Result<Vec<DeadLetter>> {
    let (condition, mut values) = condition(filter, i64::MAX);
    let columns = concat!(
        "SELECT ",
        messages::columns!(),
        ", d.reason, d.detail, d.died_at FROM dead d JOIN message m"
    );
    let sql = format!("{columns} ON m.seq = d.seq WHERE {condition} ORDER BY d.n DESC LIMIT ?");
    values.push(Value::from(i64::try_from(limit).unwrap_or(i64::MAX)));
    db.prepare(&sql)?.query_map(params_from_iter(values), |row| read_letter(db, row))?.collect()
}

/// How many match, by their reason.
pub(crate) fn count(db: &Connection, filter: &DeadFilter) -> rusqlite::Result<Vec<(DeadReason, u64)>> {
    let (condition, values) = condition(filter, i64::MAX);
    let sql = format!(
        "SELECT d.reason, count(*) FROM dead d JOIN message m ON m.seq = d.seq WHERE {condition} GROUP BY d.reason"
    );
    let read = |row: &Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?));
    let counted: Vec<_> =
        db.prepare(&sql)?.query_map(params_from_iter(values), read)?.collect::<rusqlite::Result<_>>()?;
    let of = |reason: DeadReason| {
        let letters = counted.iter().find(|(name, _)| name == reason.as_str());
        letters.map(|(_, letters)| (reason, *letters as u64))
    };
    Ok(DeadReason::ALL.into_iter().filter_map(of).collect())
}

/// The number of the newest dead letter, 0 if there never was one.
pub(crate) fn newest(db: &Connection) -> rusqlite::Result<i64> {
    db.query_row("SELECT coalesce(max(n), 0) FROM dead", [], |row| row.get(0))
}

/// What `filter` asks of `dead d` and `message m`, with its values.
fn condition(filter: &DeadFilter, newest: i64) -> (String, Vec<Value>) {
    let mut sql = String::from("d.n <= ?");
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
    (sql, values)
}

fn read_letter(db: &Connection, row: &Row<'_>) -> rusqlite::Result<DeadLetter> {
    let stored = Stored::read(row)?;
    let column = messages::WIDTH;
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
