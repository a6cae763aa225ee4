//! Counting rows, for those who look.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use cardoon_broker::QueueStats;
use cardoon_core::{QueueName, Timestamp};
use rusqlite::Connection;

use super::{all, prepare, queues};

/// A queue in numbers, as far as the tables tell.
#[derive(Debug, Clone)]
pub(crate) struct Counts {
    pub(crate) queue: QueueName,
    ready: u64,
    delayed: u64,
    held: u64,
    dead: u64,
    oldest: Option<Timestamp>,
}

impl Counts {
    /// An empty queue.
    pub(crate) fn of(queue: QueueName) -> Self {
        Self { queue, ready: 0, delayed: 0, held: 0, dead: 0, oldest: None }
    }

    pub(crate) fn into_stats(self, now: Timestamp) -> QueueStats {
        QueueStats {
            queue: self.queue,
            ready: self.ready,
            delayed: self.delayed,
            held: self.held,
            dead: self.dead,
            workers: 0,
            oldest: self.oldest.map(|since| now.since(since)),
            paused: false,
        }
    }
}

/// All queues that hold something.
pub(crate) fn queues(db: &Connection) -> rusqlite::Result<Vec<Counts>> {
    let mut found: HashMap<i64, Counts> = HashMap::new();
    add(db, &mut found, "SELECT queue, count(*) FROM ready GROUP BY queue", |counts| &mut counts.ready)?;
    add(db, &mut found, "SELECT queue, count(*) FROM delayed GROUP BY queue", |counts| &mut counts.delayed)?;
    add(db, &mut found, "SELECT queue, count(*) FROM held GROUP BY queue", |counts| &mut counts.held)?;
    let dead = "SELECT m.queue, count(*) FROM dead d JOIN message m ON m.seq = d.seq GROUP BY m.queue";
    add(db, &mut found, dead, |counts| &mut counts.dead)?;
    for (queue, counts) in &mut found {
        counts.oldest = oldest(db, *queue)?;
    }
    Ok(found.into_values().collect())
}

fn add(
    db: &Connection,
    found: &mut HashMap<i64, Counts>,
    sql: &str,
    field: fn(&mut Counts) -> &mut u64,
) -> rusqlite::Result<()> {
    for (queue, count) in all(db, sql, [], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))? {
        let counts = match found.entry(queue) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(Counts::of(queues::known_name(db, queue)?)),
        };
        *field(counts) = count as u64;
    }
    Ok(())
}

/// When the message was stored that has been first in one of the queue's lines for the longest time.
fn oldest(db: &Connection, queue: i64) -> rusqlite::Result<Option<Timestamp>> {
    let mut head = prepare(
        db,
        "SELECT m.enqueued_at FROM ready r CROSS JOIN message m ON m.seq = r.seq
         WHERE r.queue = ?1 AND r.rank = ?2 ORDER BY r.pos LIMIT 1",
    )?;
    let mut oldest = None;
    for rank in 0..=9 {
        let since = head.query_map([queue, rank], |row| row.get(0).map(Timestamp))?.next().transpose()?;
        oldest = match (oldest, since) {
            (Some(a), Some(b)) => Some(std::cmp::min::<Timestamp>(a, b)),
            (a, b) => a.or(b),
        };
    }
    Ok(oldest)
}

pub(crate) fn held_by_session(db: &Connection) -> rusqlite::Result<HashMap<i64, u64>> {
    let rows = all(db, "SELECT session, count(*) FROM held GROUP BY session", [], |row| {
        Ok((row.get(0)?, row.get::<_, i64>(1)? as u64))
    })?;
    Ok(rows.into_iter().collect())
}
