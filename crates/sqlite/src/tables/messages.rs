//! The table `message`.

use std::borrow::Cow;

use bytes::Bytes;
use cardoon_broker::Publish;
use cardoon_core::{Message, Priority, QueueName, TaskFilter, TaskId, TaskState, Timestamp};
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{Step, all, prepare};

const JSON: &str = "application/json";
const UTF8: &str = "utf-8";

/// A row of `message`.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) seq: i64,
    pub(crate) queue: i64,
    pub(crate) message: Message,
    pub(crate) enqueued_at: Timestamp,
    pub(crate) resent: bool,
    pub(crate) redelivered: bool,
    pub(crate) deaths: u32,
}

/// The columns that [`Stored::read`] reads, of a table or alias `m`, first in a query.
macro_rules! columns {
    () => {
        "m.seq, m.queue, m.id, m.attempt, m.task, m.priority, m.expires, m.content_type, m.content_encoding, \
         m.headers, m.body, m.enqueued_at, m.resent, m.redelivered, m.deaths"
    };
}
pub(crate) use columns;

/// Which of the columns is the name of the task.
pub(crate) const TASK: usize = 4;

/// How many columns [`Stored::read`] reads.
pub(crate) const WIDTH: usize = 15;

impl Stored {
    pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            seq: row.get(0)?,
            queue: row.get(1)?,
            message: Message {
                id: task_id(row, 2)?,
                attempt: row.get(3)?,
                task: row.get(TASK)?,
                priority: Priority::new(row.get(5)?),
                expires: row.get::<_, Option<i64>>(6)?.map(Timestamp),
                content_type: text_or(row, 7, JSON)?,
                content_encoding: text_or(row, 8, UTF8)?,
                headers: bytes(row, 9)?,
                body: bytes(row, 10)?,
            },
            enqueued_at: Timestamp(row.get(11)?),
            resent: row.get(12)?,
            redelivered: row.get(13)?,
            deaths: row.get(14)?,
        })
    }
}

/// A stored task id.
pub(crate) fn task_id(row: &Row<'_>, column: usize) -> rusqlite::Result<TaskId> {
    let text = row.get_ref(column)?.as_str()?;
    TaskId::new(text)
        .map_err(|bad| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(bad)))
}

fn bytes(row: &Row<'_>, column: usize) -> rusqlite::Result<Bytes> {
    Ok(Bytes::copy_from_slice(row.get_ref(column)?.as_blob()?))
}

fn text_or(row: &Row<'_>, column: usize, default: &'static str) -> rusqlite::Result<Cow<'static, str>> {
    Ok(row.get::<_, Option<String>>(column)?.map_or(Cow::Borrowed(default), Cow::Owned))
}

fn unless(text: &str, default: &str) -> Option<String> {
    (text != default).then(|| text.to_owned())
}

/// The number that the next message gets.
pub(crate) fn next_seq(step: &mut Step<'_>) -> rusqlite::Result<i64> {
    let next = match step.state.next_seq {
        Some(next) => next,
        None => {
            step.first("SELECT coalesce(max(seq), 0) + 1 FROM message", [], |row| row.get(0))?.unwrap_or(1)
        }
    };
    step.state.next_seq = Some(next + 1);
    Ok(next)
}

/// Where a new message goes, as its row repeats it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum FirstPlace {
    Ready { pos: i64 },
    Delayed { due: Timestamp },
}

pub(crate) fn insert(
    step: &Step<'_>,
    seq: i64,
    queue: i64,
    publish: &Publish,
    place: FirstPlace,
) -> rusqlite::Result<()> {
    let (pos, due) = match place {
        FirstPlace::Ready { pos } => (Some(pos), None),
        FirstPlace::Delayed { due } => (None, Some(due.0)),
    };
    let message = &publish.message;
    step.execute(
        "INSERT INTO message (seq, id, attempt, queue, priority, enqueued_at, due, pos, expires, resent, redelivered,
             deaths, task, content_type, content_encoding, headers, body)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 0, 0, ?11, ?12, ?13, ?14, ?15)",
        params![
            seq,
            message.id.as_str(),
            message.attempt,
            queue,
            message.priority.level(),
            step.now.0,
            due,
            pos,
            message.expires.map(|at| at.0),
            publish.resent,
            message.task,
            unless(&message.content_type, JSON),
            unless(&message.content_encoding, UTF8),
            &message.headers[..],
            &message.body[..],
        ],
    )
    .map(drop)
}

pub(crate) fn get(db: &Connection, seq: i64) -> rusqlite::Result<Option<Stored>> {
    prepare(db, concat!("SELECT ", columns!(), " FROM message m WHERE m.seq = ?1"))?
        .query_row([seq], Stored::read)
        .optional()
}

/// The messages of task `id`.
pub(crate) fn of_task(db: &Connection, id: &TaskId) -> rusqlite::Result<Vec<Stored>> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM task t JOIN message m ON m.seq = t.seq WHERE t.id = ?1 ORDER BY t.attempt DESC"
    );
    all(db, sql, [id.as_str()], Stored::read)
}

/// The first `limit` messages that wait in `queue`: in the order of their claim, then the delayed.
pub(crate) fn in_order(db: &Connection, queue: i64, limit: usize) -> rusqlite::Result<Vec<Stored>> {
    let ready = concat!(
        "SELECT ",
        columns!(),
        " FROM ready r CROSS JOIN message m ON m.seq = r.seq WHERE r.queue = ?1 ORDER BY r.rank, r.pos LIMIT ?2"
    );
    let delayed = concat!(
        "SELECT ",
        columns!(),
        " FROM delayed d CROSS JOIN message m ON m.seq = d.seq WHERE d.queue = ?1 ORDER BY d.due, d.seq LIMIT ?2"
    );
    let mut found = all(db, ready, [queue, limit as i64], Stored::read)?;
    let left = limit - found.len();
    found.extend(all(db, delayed, [queue, left as i64], Stored::read)?);
    Ok(found)
}

/// The first `limit` messages after number `seq` that may be among the wanted, oldest first; dead ones too.
pub(crate) fn after(
    db: &Connection,
    seq: i64,
    filter: &TaskFilter,
    limit: usize,
) -> rusqlite::Result<Vec<Stored>> {
    let of_state = match filter.state {
        Some(TaskState::Received | TaskState::Started) => "m.seq IN (SELECT h.seq FROM held h)",
        Some(TaskState::Retry) => "m.attempt > 0",
        _ => "TRUE",
    };
    let sql = format!(
        concat!(
            "SELECT ",
            columns!(),
            " FROM message m WHERE m.seq > ?1 AND (?2 IS NULL OR m.task = ?2) AND {of_state}
             AND (?3 IS NULL OR m.queue = (SELECT q.id FROM queue q WHERE q.name = ?3)) ORDER BY m.seq LIMIT ?4"
        ),
        of_state = of_state
    );
    let queue = filter.queue.as_ref().map(QueueName::as_str);
    all(db, &sql, params![seq, filter.task, queue, limit as i64], Stored::read)
}

/// The number of the newest message, 0 if there is none.
pub(crate) fn newest(db: &Connection) -> rusqlite::Result<i64> {
    prepare(db, "SELECT coalesce(max(seq), 0) FROM message")?.query_row([], |row| row.get(0))
}

pub(crate) fn delete(step: &Step<'_>, seq: i64) -> rusqlite::Result<()> {
    step.execute("DELETE FROM message WHERE seq = ?1", [seq]).map(drop)
}

/// Notes that a delivery came back.
pub(crate) fn mark_returned(
    step: &Step<'_>,
    seq: i64,
    redelivered: bool,
    deaths: u32,
) -> rusqlite::Result<()> {
    step.execute(
        "UPDATE message SET redelivered = max(redelivered, ?2), deaths = ?3
         WHERE seq = ?1 AND (redelivered < ?2 OR deaths <> ?3)",
        params![seq, redelivered, deaths],
    )
    .map(drop)
}
