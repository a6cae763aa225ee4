//! The table `task`: which messages have an id, and which run of it is current.

use cardoon_broker::Published;
use cardoon_core::run::{Begin, RunRecord, begin};
use cardoon_core::{RunNumber, TaskId, Timestamp};
use rusqlite::{OptionalExtension, params};

use super::{Step, prepare};

/// The run record of task `id`, if one was ever needed.
pub(crate) fn run_record(step: &Step<'_>, id: &TaskId) -> rusqlite::Result<Option<RunRecord>> {
    prepare(step.db,
            "SELECT run, attempt, ended FROM task WHERE id = ?1 AND run IS NOT NULL ORDER BY attempt DESC LIMIT 1",
        )?
        .query_row([id.as_str()], |row| {
            Ok(RunRecord {
                current: RunNumber(row.get::<_, i64>(0)? as u64),
                attempt: row.get(1)?,
                ended: row.get(2)?,
            })
        })
        .optional()
}

/// Makes `seq` the message of this id and attempt, unless there is one or none may come any more.
pub(crate) fn claim_identity(
    step: &Step<'_>,
    id: &TaskId,
    attempt: u32,
    seq: i64,
) -> rusqlite::Result<Published> {
    let fresh = step.execute(
        "INSERT INTO task (id, attempt, seq) SELECT ?1, ?2, ?3 WHERE NOT EXISTS (SELECT 1 FROM task WHERE id = ?1)",
        params![id.as_str(), attempt, seq],
    )?;
    if fresh > 0 {
        return Ok(Published::Stored);
    }
    if !matches!(begin(run_record(step, id)?, attempt), Begin::Run(_)) {
        return Ok(Published::Duplicate);
    }
    Ok(if take_identity(step, id, attempt, seq)? { Published::Stored } else { Published::Duplicate })
}

/// Makes `seq` the message of this id and attempt, unless there is one.
pub(crate) fn take_identity(step: &Step<'_>, id: &TaskId, attempt: u32, seq: i64) -> rusqlite::Result<bool> {
    let taken = step.execute(
        "INSERT INTO task (id, attempt, seq) VALUES (?1, ?2, ?3)
         ON CONFLICT DO UPDATE SET seq = ?3, touched = NULL WHERE seq IS NULL",
        params![id.as_str(), attempt, seq],
    )?;
    Ok(taken > 0)
}

/// The messages of task `id`: attempt and seq.
pub(crate) fn messages_of(step: &Step<'_>, id: &TaskId) -> rusqlite::Result<Vec<(u32, i64)>> {
    let sql = "SELECT attempt, seq FROM task WHERE id = ?1 AND seq IS NOT NULL ORDER BY attempt";
    step.all(sql, [id.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// The message of this id and attempt is gone; its run record stays.
pub(crate) fn release_identity(step: &Step<'_>, id: &TaskId, attempt: u32) -> rusqlite::Result<()> {
    let unused = "DELETE FROM task WHERE id = ?1 AND attempt = ?2 AND run IS NULL AND record IS NULL";
    if step.execute(unused, params![id.as_str(), attempt])? == 0 {
        step.execute(
            "UPDATE task SET seq = NULL, touched = CASE WHEN record IS NULL THEN ?3 END WHERE id = ?1 AND attempt = ?2",
            params![id.as_str(), attempt, step.now.0],
        )?;
    }
    Ok(())
}

/// Writes the run record of a run that has not ended.
pub(crate) fn register(step: &Step<'_>, id: &TaskId, record: RunRecord) -> rusqlite::Result<()> {
    step.execute(
        "INSERT INTO task (id, attempt, run, ended, touched) VALUES (?1, ?2, ?3, 0, ?4)
         ON CONFLICT DO UPDATE SET run = ?3, ended = 0, touched = CASE WHEN seq IS NULL THEN ?4 END",
        params![id.as_str(), record.attempt, record.current.0 as i64, step.now.0],
    )
    .map(drop)
}

/// Writes the run record of a run that ended with `record`, and releases the identity of its message if
/// `message_goes`.
pub(crate) fn close(
    step: &Step<'_>,
    id: &TaskId,
    run: RunRecord,
    record: i64,
    message_goes: bool,
) -> rusqlite::Result<()> {
    step.execute(
        "INSERT INTO task (id, attempt, run, ended, record) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT DO UPDATE SET run = ?3, ended = ?4, record = ?5, touched = NULL,
             seq = CASE WHEN ?6 THEN NULL ELSE seq END",
        params![id.as_str(), run.attempt, run.current.0 as i64, run.ended, record, message_goes],
    )
    .map(drop)
}

/// The numbers of the records of task `id`.
pub(crate) fn records_of(step: &Step<'_>, id: &TaskId) -> rusqlite::Result<Vec<i64>> {
    let sql = "SELECT record FROM task WHERE id = ?1 AND record IS NOT NULL";
    step.all(sql, [id.as_str()], |row| row.get(0))
}

/// The records of task `id` are gone; its run record stays.
pub(crate) fn release_records(step: &Step<'_>, id: &TaskId) -> rusqlite::Result<()> {
    step.execute("DELETE FROM task WHERE id = ?1 AND attempt < 0", [id.as_str()])?;
    step.execute(
        "UPDATE task SET record = NULL, touched = CASE WHEN seq IS NULL THEN ?2 END
         WHERE id = ?1 AND record IS NOT NULL",
        params![id.as_str(), step.now.0],
    )
    .map(drop)
}

/// Whether the store has a message of task `id` that is not dead.
pub(crate) fn has_message(step: &Step<'_>, id: &TaskId) -> rusqlite::Result<bool> {
    let sql = "SELECT 1 FROM task WHERE id = ?1 AND seq IS NOT NULL";
    Ok(step.first(sql, [id.as_str()], |_| Ok(()))?.is_some())
}

/// Lets task `id` begin anew from attempt 0, with the run record `run`. Its ended runs become history: they get
/// attempts below 0, where nothing looks for a result.
pub(crate) fn reopen(step: &Step<'_>, id: &TaskId, run: RunRecord) -> rusqlite::Result<()> {
    let ended =
        "SELECT attempt FROM task WHERE id = ?1 AND attempt >= 0 AND record IS NOT NULL ORDER BY attempt";
    let lowest = "SELECT min(attempt, 0) FROM task WHERE id = ?1 ORDER BY attempt LIMIT 1";
    let mut below: i64 = step.first(lowest, [id.as_str()], |row| row.get(0))?.unwrap_or(0);
    for attempt in step.all(ended, [id.as_str()], |row| row.get::<_, i64>(0))? {
        below -= 1;
        step.execute(
            "INSERT INTO task (id, attempt, record) SELECT id, ?3, record FROM task WHERE id = ?1 AND attempt = ?2",
            params![id.as_str(), attempt, below],
        )?;
    }
    step.execute("DELETE FROM task WHERE id = ?1 AND attempt >= 0 AND seq IS NULL", [id.as_str()])?;
    let others = "UPDATE task SET run = NULL, ended = NULL, record = NULL WHERE id = ?1 AND attempt >= 0";
    step.execute(others, [id.as_str()])?;
    register(step, id, run)
}

/// Removes rows that nothing refers to and that were last touched before `before`.
pub(crate) fn prune(step: &Step<'_>, before: Timestamp, limit: usize) -> rusqlite::Result<usize> {
    let old = step.all(
        "SELECT id, attempt FROM task WHERE touched IS NOT NULL AND touched < ?1 LIMIT ?2",
        params![before.0, limit as i64],
        |row| Ok((row.get::<_, String>(0)?, row.get::<_, u32>(1)?)),
    )?;
    for (id, attempt) in &old {
        step.execute("DELETE FROM task WHERE id = ?1 AND attempt = ?2", params![id, attempt])?;
    }
    Ok(old.len())
}
