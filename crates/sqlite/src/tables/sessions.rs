//! The table `session`: the consumers.

use std::time::Duration;

use cardoon_broker::ConsumeSpec;
use cardoon_core::{QueueName, Timestamp, VERSION};
use rusqlite::types::Type;
use rusqlite::{Connection, Row, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Step, all};

/// A row of `session`.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) id: i64,
    pub(crate) worker: String,
    pub(crate) pid: u32,
    pub(crate) queues: Vec<QueueName>,
    pub(crate) tasks: Vec<String>,
    pub(crate) slots: u32,
    pub(crate) lease: Duration,
    pub(crate) since: Timestamp,
    /// The name of its file in the live folder.
    pub(crate) file: String,
    /// Empty if it was entered before versions were told.
    pub(crate) version: String,
}

/// Adds the session of a consumer whose live file is `file`; answers its number.
pub(crate) fn insert(step: &Step<'_>, spec: &ConsumeSpec, file: &str) -> rusqlite::Result<i64> {
    step.execute(
        "INSERT INTO session (worker, pid, queues, tasks, slots, lease, since, file, version)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![
            spec.worker,
            std::process::id(),
            to_json(&spec.queues)?,
            to_json(&spec.tasks)?,
            spec.slots,
            spec.terms.lease.as_millis() as i64,
            step.now.0,
            file,
            VERSION,
        ],
    )?;
    Ok(step.db.last_insert_rowid())
}

/// Removes a session; answers whether it was there.
pub(crate) fn delete(step: &Step<'_>, session: i64) -> rusqlite::Result<bool> {
    step.execute("DELETE FROM worker_order WHERE session = ?1", [session])?;
    Ok(step.execute("DELETE FROM session WHERE id = ?1", [session])? > 0)
}

/// Whether the session has neither left nor been found dead.
pub(crate) fn contains(step: &Step<'_>, session: u64) -> rusqlite::Result<bool> {
    Ok(step.first("SELECT 1 FROM session WHERE id = ?1", [session as i64], |_| Ok(()))?.is_some())
}

pub(crate) fn list(db: &Connection) -> rusqlite::Result<Vec<Session>> {
    let sql =
        "SELECT id, worker, pid, queues, tasks, slots, lease, since, file, version FROM session ORDER BY id";
    all(db, sql, [], read)
}

fn read(row: &Row<'_>) -> rusqlite::Result<Session> {
    Ok(Session {
        id: row.get(0)?,
        worker: row.get(1)?,
        pid: row.get(2)?,
        queues: from_json(row, 3)?,
        tasks: from_json(row, 4)?,
        slots: row.get(5)?,
        lease: Duration::from_millis(row.get::<_, i64>(6)? as u64),
        since: Timestamp(row.get(7)?),
        file: row.get(8)?,
        version: row.get(9)?,
    })
}

fn to_json(value: &impl Serialize) -> rusqlite::Result<String> {
    serde_json::to_string(value).map_err(|bad| rusqlite::Error::ToSqlConversionFailure(Box::new(bad)))
}

fn from_json<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    serde_json::from_str(row.get_ref(column)?.as_str()?)
        .map_err(|bad| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(bad)))
}
