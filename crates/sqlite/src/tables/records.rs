//! The tables `record` and `progress`: what became of runs.

use bytes::Bytes;
use cardoon_core::{Progress, ResultRecord, RunNumber, TaskFailure, TaskId, TaskState, Timestamp};
use cardoon_results::Reported;
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::messages::task_id;
use super::{Step, prepare, queues, tasks};
use crate::live::Bell;

/// The columns that [`read`] reads, of `record r JOIN queue q`, first in a query.
macro_rules! columns {
    () => {
        "r.id, r.task, q.name, r.state, r.run, r.attempt, r.value, r.failure, r.worker, r.started_at, r.finished_at"
    };
}
pub(crate) use columns;

/// Values up to this size are not worth a write of their own to be removed before their record is.
const SMALL: i64 = 64;

pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<ResultRecord> {
    let state: String = row.get(3)?;
    let failure: Option<String> = row.get(7)?;
    Ok(ResultRecord {
        id: task_id(row, 0)?,
        task: row.get(1)?,
        queue: queues::parse(row.get(2)?)?,
        state: TaskState::parse(&state).ok_or_else(|| unreadable(3))?,
        run: RunNumber(row.get::<_, i64>(4)? as u64),
        attempt: row.get(5)?,
        value: row.get::<_, Option<Vec<u8>>>(6)?.map(Bytes::from),
        failure: failure.map(|text| read_failure(&text)).transpose()?,
        worker: row.get_ref(8)?.as_str()?.into(),
        started_at: row.get::<_, Option<i64>>(9)?.map(Timestamp),
        finished_at: Timestamp(row.get(10)?),
    })
}

fn unreadable(column: usize) -> rusqlite::Error {
    rusqlite::Error::InvalidColumnType(column, "record".into(), Type::Text)
}

fn read_failure(text: &str) -> rusqlite::Result<TaskFailure> {
    serde_json::from_str(text)
        .map_err(|bad| rusqlite::Error::FromSqlConversionFailure(7, Type::Text, Box::new(bad)))
}

fn write_failure(failure: &TaskFailure) -> rusqlite::Result<String> {
    serde_json::to_string(failure).map_err(|bad| rusqlite::Error::ToSqlConversionFailure(Box::new(bad)))
}

/// Appends `record`; answers its number.
pub(crate) fn insert(step: &mut Step<'_>, record: &ResultRecord) -> rusqlite::Result<i64> {
    let queue = queues::number(step, &record.queue)?;
    step.execute(
        "INSERT INTO record (id, run, attempt, state, started_at, finished_at, queue, task, worker, value, failure)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        params![
            record.id.as_str(),
            record.run.0 as i64,
            record.attempt,
            record.state.as_str(),
            record.started_at.map(|at| at.0),
            record.finished_at.0,
            queue,
            record.task,
            &*record.worker,
            record.value.as_deref(),
            record.failure.as_ref().map(write_failure).transpose()?,
        ],
    )?;
    step.ring(Bell::RESULT);
    Ok(step.db.last_insert_rowid())
}

/// Deletes record `n`. The last one is emptied instead, since followers rely on growing numbers.
pub(crate) fn delete(step: &Step<'_>, n: i64) -> rusqlite::Result<()> {
    if step.execute("DELETE FROM record WHERE n = ?1 AND n < (SELECT max(n) FROM record)", [n])? == 0 {
        step.execute(
            "UPDATE record SET id = '', value = NULL, failure = NULL WHERE n = ?1 AND id <> ''",
            [n],
        )?;
    }
    Ok(())
}

/// The latest record of task `id`, unless it ended before `since`.
pub(crate) fn latest(
    db: &Connection,
    id: &TaskId,
    since: Timestamp,
) -> rusqlite::Result<Option<ResultRecord>> {
    prepare(
        db,
        concat!(
            "SELECT ",
            columns!(),
            " FROM task t JOIN record r ON r.n = t.record JOIN queue q ON q.id = r.queue
         WHERE t.id = ?1 AND t.attempt >= 0 AND r.finished_at >= ?2 ORDER BY t.attempt DESC LIMIT 1"
        ),
    )?
    .query_row(params![id.as_str(), since.0], read)
    .optional()
}

pub(crate) fn history(db: &Connection, id: &TaskId) -> rusqlite::Result<Vec<ResultRecord>> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM task t JOIN record r ON r.n = t.record JOIN queue q ON q.id = r.queue
         WHERE t.id = ?1 ORDER BY r.n"
    );
    super::all(db, sql, [id.as_str()], read)
}

/// The number of the newest record, 0 if there is none.
pub(crate) fn newest(db: &Connection) -> rusqlite::Result<i64> {
    prepare(db, "SELECT coalesce(max(n), 0) FROM record")?.query_row([], |row| row.get(0))
}

/// Tasks that ended after record number `n`, with the numbers of their records, at most `limit`.
pub(crate) fn ended_after(db: &Connection, n: i64, limit: usize) -> rusqlite::Result<Vec<(i64, TaskId)>> {
    let sql = "SELECT n, id FROM record WHERE n > ?1 AND id <> '' AND state <> 'RETRY' ORDER BY n LIMIT ?2";
    super::all(db, sql, params![n, limit as i64], |row| Ok((row.get(0)?, task_id(row, 1)?)))
}

/// Deletes records that ended before `before`, oldest first.
pub(crate) fn prune(step: &mut Step<'_>, before: Timestamp, limit: usize) -> rusqlite::Result<usize> {
    let oldest =
        step.all("SELECT n, id, finished_at FROM record ORDER BY n LIMIT ?1", [limit as i64], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, row.get::<_, i64>(2)?))
        })?;
    let old: Vec<_> = oldest.into_iter().take_while(|(_, _, at)| *at < before.0).collect();
    for (n, id, _) in &old {
        step.execute("DELETE FROM task WHERE id = ?1 AND record = ?2 AND seq IS NULL", params![id, n])?;
        step.execute("UPDATE task SET record = NULL WHERE id = ?1 AND record = ?2", params![id, n])?;
        step.execute("DELETE FROM progress WHERE id = ?1", [id])?;
        delete(step, *n)?;
    }
    Ok(old.len())
}

/// Removes the large values of records that ended before `before`; their history stays.
pub(crate) fn drop_values(step: &mut Step<'_>, before: Timestamp, limit: usize) -> rusqlite::Result<usize> {
    let done: i64 = step
        .first("SELECT value FROM mark WHERE name = 'values dropped'", [], |row| row.get(0))?
        .unwrap_or(0);
    let next = step.all(
        "SELECT n, finished_at FROM record WHERE n > ?1 ORDER BY n LIMIT ?2",
        [done, limit as i64],
        |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)),
    )?;
    let old: Vec<i64> = next.into_iter().take_while(|(_, at)| *at < before.0).map(|(n, _)| n).collect();
    let Some(last) = old.last() else { return Ok(0) };
    step.execute(
        "UPDATE record SET value = NULL WHERE n > ?1 AND n <= ?2 AND length(value) > ?3",
        [done, *last, SMALL],
    )?;
    step.execute("INSERT OR REPLACE INTO mark (name, value) VALUES ('values dropped', ?1)", [last])?;
    Ok(old.len())
}

pub(crate) fn write_progress(
    step: &Step<'_>,
    id: &TaskId,
    run: RunNumber,
    progress: &Progress,
) -> rusqlite::Result<()> {
    step.execute(
        "INSERT OR REPLACE INTO progress (id, run, done, total, message) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![
            id.as_str(),
            run.0 as i64,
            progress.done as i64,
            progress.total.map(|total| total as i64),
            progress.message,
        ],
    )
    .map(drop)
}

pub(crate) fn progress(db: &Connection, id: &TaskId) -> rusqlite::Result<Option<Reported>> {
    prepare(db, "SELECT run, done, total, message FROM progress WHERE id = ?1")?
        .query_row([id.as_str()], |row| {
            let progress = Progress {
                done: row.get::<_, i64>(1)? as u64,
                total: row.get::<_, Option<i64>>(2)?.map(|total| total as u64),
                message: row.get(3)?,
            };
            Ok(Reported { run: RunNumber(row.get::<_, i64>(0)? as u64), progress })
        })
        .optional()
}

/// Deletes what is known of how task `id` ended.
pub(crate) fn forget(step: &Step<'_>, id: &TaskId) -> rusqlite::Result<bool> {
    let numbers = tasks::records_of(step, id)?;
    for n in &numbers {
        delete(step, *n)?;
    }
    tasks::release_records(step, id)?;
    step.execute("DELETE FROM progress WHERE id = ?1", [id.as_str()])?;
    Ok(!numbers.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::StepState;

    #[test]
    fn the_emptied_last_record_does_not_keep_later_ones_from_being_pruned() {
        let db = crate::additions::laid_out();
        let mut state = StepState::default();
        let mut step = Step::new(&db, Timestamp(0), &mut state);
        insert(&mut step, &ended("first", 1)).unwrap();
        prune(&mut step, Timestamp(10), 256).unwrap();
        for id in ["second", "third"] {
            insert(&mut step, &ended(id, 2)).unwrap();
        }
        insert(&mut step, &ended("young", 20)).unwrap();
        prune(&mut step, Timestamp(10), 256).unwrap();
        let left = crate::tables::all(&db, "SELECT id FROM record", [], |row| row.get::<_, String>(0));
        assert_eq!(left.unwrap(), ["young"]);
    }

    fn ended(id: &str, at: i64) -> ResultRecord {
        ResultRecord {
            id: TaskId::new(id).unwrap(),
            task: "t".into(),
            queue: cardoon_core::QueueName::default(),
            state: TaskState::Success,
            run: RunNumber::FIRST,
            attempt: 0,
            value: None,
            failure: None,
            worker: "w".into(),
            started_at: None,
            finished_at: Timestamp(at),
        }
    }
}
