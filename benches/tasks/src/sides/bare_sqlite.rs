//! The same SQL as the adapter's, in a bare loop: the most that a worker could reach on this file.
//!
//! One thread, prepared statements, no events, no liveness, nobody else. Each transaction ends one batch (result,
//! history, acknowledgement) and claims the next, as the adapter's writer does under load.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use crate::stopwatch::Stopwatch;

const TAKE: &str = "SELECT m.seq, m.id, m.attempt, m.queue, m.task, m.headers, m.body, r.pos
    FROM ready r CROSS JOIN message m ON m.seq = r.seq WHERE r.queue = ?1 ORDER BY r.rank, r.pos LIMIT ?2";
const UNREADY: &str = "DELETE FROM ready WHERE queue = ?1 AND rank = ?2 AND pos <= ?3";
const HOLD: &str = "INSERT INTO held (session, seq, sequence, early, queue) VALUES (1, ?1, ?2, 0, ?3)";

const FIND: &str = "SELECT h.sequence, h.early, m.attempt, m.redelivered, m.deaths
    FROM held h CROSS JOIN message m ON m.seq = h.seq WHERE h.session = 1 AND h.seq = ?1";
const RUN: &str =
    "SELECT run, attempt, ended FROM task WHERE id = ?1 AND run IS NOT NULL ORDER BY attempt DESC LIMIT 1";
const FREE: &str = "DELETE FROM held WHERE session = 1 AND seq = ?1";
const FORGET: &str = "DELETE FROM message WHERE seq = ?1";
const RECORD: &str =
    "INSERT INTO record (id, run, attempt, state, started_at, finished_at, queue, task, worker, value)
    VALUES (?1, 1, ?2, 'SUCCESS', ?3, ?3, ?4, ?5, 'bare', x'6e756c6c')";
const END: &str = "INSERT INTO task (id, attempt, run, ended, record) VALUES (?1, ?2, 1, 1, ?3)
    ON CONFLICT DO UPDATE SET run = 1, ended = 1, record = ?3, touched = NULL, seq = NULL";

const TASK: &str = "INSERT INTO task (id, attempt, seq) SELECT ?1, 0, ?2
    WHERE NOT EXISTS (SELECT 1 FROM task WHERE id = ?1)";
const MESSAGE: &str =
    "INSERT INTO message (seq, id, attempt, queue, priority, enqueued_at, pos, resent, redelivered,
    deaths, task, headers, body) VALUES (?1, ?2, 0, ?3, 4, ?4, ?5, 0, 0, 0, 'cardoon.noop', ?6, ?7)";
const READY: &str = "INSERT INTO ready (queue, rank, pos, seq) VALUES (?1, 5, ?2, ?3)";

/// A time like those that the adapter stores.
const TIME: i64 = 1_800_000_000_000;
/// That of the default priority.
const RANK: i64 = 5;

struct Claimed {
    seq: i64,
    id: String,
    attempt: i64,
    queue: i64,
    task: String,
}

/// Tasks a second while `count` prefilled ones are claimed and ended, `batch` a transaction.
pub(crate) fn drain(database: &Path, count: usize, batch: usize) -> Result<f64> {
    let mut connection = open(database)?;
    let queue = connection.query_row("SELECT queue FROM ready LIMIT 1", [], |row| row.get(0))?;
    let watch = Stopwatch::start();
    let mut claimed = Vec::new();
    let mut ended = 0;
    while ended < count {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for task in &claimed {
            end(&transaction, task)?;
        }
        ended += claimed.len();
        claimed = claim(&transaction, queue, batch)?;
        transaction.commit()?;
        anyhow::ensure!(ended >= count || !claimed.is_empty(), "the queue ran dry at {ended}");
    }
    Ok(count as f64 / watch.secs())
}

fn claim(transaction: &Transaction<'_>, queue: i64, batch: usize) -> Result<Vec<Claimed>> {
    let mut take = transaction.prepare_cached(TAKE)?;
    let mut hold = transaction.prepare_cached(HOLD)?;
    let mut rows = take.query(params![queue, batch as i64])?;
    let mut claimed = Vec::with_capacity(batch);
    let mut last: i64 = 0;
    while let Some(row) = rows.next()? {
        // The bytes are copied out, as a delivery needs them.
        let _delivery: (Vec<u8>, Vec<u8>) = (row.get(5)?, row.get(6)?);
        let (seq, attempt) = (row.get(0)?, row.get(2)?);
        hold.execute(params![seq, seq, queue])?;
        claimed.push(Claimed { seq, attempt, queue, id: row.get(1)?, task: row.get(4)? });
        last = row.get(7)?;
    }
    drop(rows);
    transaction.prepare_cached(UNREADY)?.execute(params![queue, RANK, last])?;
    Ok(claimed)
}

fn end(transaction: &Transaction<'_>, task: &Claimed) -> Result<()> {
    transaction.prepare_cached(FIND)?.query_row([task.seq], |row| row.get::<_, i64>(0))?;
    transaction.prepare_cached(RUN)?.exists([&task.id])?;
    transaction.prepare_cached(FREE)?.execute([task.seq])?;
    transaction.prepare_cached(FORGET)?.execute([task.seq])?;
    let mut record = transaction.prepare_cached(RECORD)?;
    record.execute(params![task.id, task.attempt, TIME, task.queue, task.task])?;
    let record = transaction.last_insert_rowid();
    transaction.prepare_cached(END)?.execute(params![task.id, task.attempt, record])?;
    Ok(())
}

/// Messages a second while `count` are stored, `batch` a transaction. The file must hold one of the same kind.
pub(crate) fn insert(database: &Path, count: usize, batch: usize) -> Result<f64> {
    let mut connection = open(database)?;
    let mut model = Model::read(&connection)?;
    let ids: Vec<String> = (0..count).map(|index| new_id(index as u64)).collect();
    let watch = Stopwatch::start();
    for ids in ids.chunks(batch) {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        ids.iter().try_for_each(|id| model.store(&transaction, id))?;
        transaction.commit()?;
    }
    Ok(count as f64 / watch.secs())
}

/// A message to store again and again.
struct Model {
    seq: i64,
    pos: i64,
    queue: i64,
    headers: Vec<u8>,
    body: Vec<u8>,
}

impl Model {
    fn read(connection: &Connection) -> Result<Self> {
        let last = "SELECT seq, pos, queue, headers, body FROM message ORDER BY seq DESC LIMIT 1";
        Ok(connection.query_row(last, [], |row| {
            let (seq, pos, queue) = (row.get(0)?, row.get(1)?, row.get(2)?);
            Ok(Self { seq, pos, queue, headers: row.get(3)?, body: row.get(4)? })
        })?)
    }

    fn store(&mut self, transaction: &Transaction<'_>, id: &str) -> Result<()> {
        self.seq += 1;
        self.pos += 1;
        let Self { seq, pos, queue, headers, body } = &*self;
        transaction.prepare_cached(TASK)?.execute(params![id, seq])?;
        transaction.prepare_cached(MESSAGE)?.execute(params![seq, id, queue, TIME, pos, headers, body])?;
        transaction.prepare_cached(READY)?.execute(params![queue, pos, seq])?;
        Ok(())
    }
}

/// Ids that grow, as those of version 7 do.
fn new_id(index: u64) -> String {
    format!("ffffffff-0000-7000-8000-{index:012x}")
}

fn open(database: &Path) -> Result<Connection> {
    let connection = Connection::open(database)?;
    connection.busy_timeout(Duration::from_secs(10))?;
    // As the adapter sets them, but for the larger cache.
    connection.execute_batch(
        "PRAGMA synchronous = FULL; PRAGMA cache_size = -16384; PRAGMA wal_autocheckpoint = 4000;",
    )?;
    // As the adapter does; without it this build of SQLite plans a query anew whenever a bound value changes.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    let journal: String = connection.query_row("PRAGMA journal_mode", [], |row| row.get(0))?;
    anyhow::ensure!(journal == "wal", "the file is in journal mode {journal}, not WAL");
    connection.set_prepared_statement_cache_capacity(32);
    Ok(connection)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stores::sqlite::Fixture;

    #[tokio::test(flavor = "multi_thread")]
    async fn the_bare_loops_fit_the_layout() {
        let fixture = Fixture::of_noops(100).await.unwrap();
        assert!(insert(&fixture.database(), 50, 16).unwrap() > 0.0);
        assert!(drain(&fixture.database(), 150, 16).unwrap() > 0.0);
        assert_eq!(fixture.ends().unwrap().count().unwrap(), 150);
        fixture.close().await.unwrap();
    }
}
