use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use cardoon_broker::{Inspect, Member, Place, QueueStats, Waiting};
use cardoon_core::{QueueName, TaskId, Timestamp};
use cardoon_errors::Result;
use rusqlite::Connection;

use crate::database::Database;
use crate::live::{LiveFolder, PageReader, Seen};
use crate::operations::revoke;
use crate::store::SqliteStore;
use crate::tables::messages::{self, Stored};
use crate::tables::sessions::{self, Session};
use crate::tables::{Step, counts, places, queues};
use crate::writer::SLICE;

#[async_trait]
impl Inspect for SqliteStore {
    async fn queues(&self) -> Result<Vec<QueueStats>> {
        let now = self.handle.database.clock.now();
        let (stats, sessions) = self.read(|db, _| Ok((counts::queues(db)?, sessions::list(db)?))).await?;
        Ok(with_workers(stats, &alive(&self.handle.database, sessions), now))
    }

    async fn peek(&self, queue: &QueueName, limit: usize) -> Result<Vec<Waiting>> {
        let queue = queue.clone();
        self.read(move |db, _| {
            let Some(number) = queues::known_number(db, &queue)? else { return Ok(Vec::new()) };
            let stored = messages::in_order(db, number, limit)?;
            stored.into_iter().map(|stored| waiting(db, stored)).collect()
        })
        .await
    }

    async fn locate(&self, id: &TaskId) -> Result<Option<(Waiting, Place)>> {
        let id = id.clone();
        self.read(move |db, live| {
            for stored in messages::of_task(db, &id)? {
                if let Some(place) = place(db, live, stored.seq)? {
                    return Ok(Some((waiting(db, stored)?, place)));
                }
            }
            Ok(None)
        })
        .await
    }

    async fn waiting(&self, queue: Option<&QueueName>, limit: usize) -> Result<Vec<(Waiting, Place)>> {
        let queue = queue.cloned();
        self.read(move |db, live| {
            let number = match &queue {
                None => None,
                Some(queue) => match queues::known_number(db, queue)? {
                    None => return Ok(Vec::new()),
                    known => known,
                },
            };
            let mut found = Vec::new();
            for stored in messages::oldest(db, number, limit)? {
                if let Some(place) = place(db, live, stored.seq)? {
                    found.push((waiting(db, stored)?, place));
                }
            }
            Ok(found)
        })
        .await
    }

    async fn purge(&self, queue: &QueueName) -> Result<u64> {
        let queue = queue.clone();
        let bounds =
            self.read(move |db, _| Ok((queues::known_number(db, &queue)?, messages::newest(db)?))).await?;
        let (Some(number), newest) = bounds else { return Ok(0) };
        let mut purged = 0;
        loop {
            let slice = move |step: &mut Step<'_>| revoke::purge(step, number, newest, SLICE);
            let removed = self.handle.database.writer.run(SLICE, slice).await?;
            purged += removed as u64;
            if removed == 0 {
                return Ok(purged);
            }
        }
    }

    async fn members(&self) -> Result<Vec<Member>> {
        let (sessions, held) =
            self.read(|db, _| Ok((sessions::list(db)?, counts::held_by_session(db)?))).await?;
        let sessions = alive(&self.handle.database, sessions);
        Ok(sessions.into_iter().map(|session| member(session, &held)).collect())
    }
}

impl SqliteStore {
    async fn read<T, F>(&self, query: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection, &LiveFolder) -> rusqlite::Result<T> + Send + 'static,
    {
        self.handle.check()?;
        let live = Arc::clone(&self.handle.database.live);
        self.handle.database.readers.run(move |db| query(db, &live)).await
    }
}

fn waiting(db: &Connection, stored: Stored) -> rusqlite::Result<Waiting> {
    Ok(Waiting {
        queue: queues::known_name(db, stored.queue)?,
        message: stored.message,
        enqueued_at: stored.enqueued_at,
        deaths: stored.deaths,
        redelivered: stored.redelivered,
    })
}

/// Where message `seq` is; `None` if it is in the dead letters.
fn place(db: &Connection, live: &LiveFolder, seq: i64) -> rusqlite::Result<Option<Place>> {
    Ok(match places::find(db, seq)? {
        places::Found::Dead => None,
        places::Found::Ready => Some(Place::Ready),
        places::Found::Delayed { due } => Some(Place::Delayed { until: due }),
        places::Found::Held { worker, file, sequence } => {
            let page = PageReader::open(live, &file).ok().flatten();
            let marks = page.and_then(|page| page.marks().ok());
            Some(Place::Held { worker, started: marks.is_some_and(|marks| marks.runs(sequence)) })
        }
    })
}

/// Those of `sessions` whose processes are there.
fn alive(database: &Database, sessions: Vec<Session>) -> Vec<Session> {
    let lives = |session: &Session| match PageReader::open(&database.live, &session.file) {
        Ok(Some(page)) => !matches!(page.look(), Ok(Seen::Dead)),
        Ok(None) => false,
        // A file that cannot be read proves nothing.
        Err(_) => true,
    };
    sessions.into_iter().filter(lives).collect()
}

fn member(session: Session, held: &HashMap<i64, u64>) -> Member {
    Member {
        session: session.id as u64,
        held: held.get(&session.id).copied().unwrap_or(0),
        worker: session.worker,
        queues: session.queues,
        tasks: session.tasks,
        slots: session.slots,
        since: session.since,
        pid: session.pid,
    }
}

/// The statistics of all queues that hold something or have a worker, by name.
fn with_workers(counted: Vec<counts::Counts>, sessions: &[Session], now: Timestamp) -> Vec<QueueStats> {
    let mut stats: HashMap<QueueName, QueueStats> =
        counted.into_iter().map(|counts| (counts.queue.clone(), counts.into_stats(now))).collect();
    for queue in sessions.iter().flat_map(|session| &session.queues) {
        let empty = || counts::Counts::of(queue.clone()).into_stats(now);
        stats.entry(queue.clone()).or_insert_with(empty).workers += 1;
    }
    let mut stats: Vec<QueueStats> = stats.into_values().collect();
    stats.sort_by(|a, b| a.queue.cmp(&b.queue));
    stats
}
