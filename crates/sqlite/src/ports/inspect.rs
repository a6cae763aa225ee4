use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use cardoon_broker::{Inspect, Member, Place, QueueStats, Waiting};
use cardoon_core::{BootInstant, Page, Position, QueueName, TaskFilter, TaskId, Timestamp};
use cardoon_errors::Result;
use rusqlite::Connection;

use crate::database::Database;
use crate::live::{LiveFolder, PageReader, Seen};
use crate::operations::revoke;
use crate::store::SqliteStore;
use crate::tables::messages::{self, Stored};
use crate::tables::sessions::{self, Session};
use crate::tables::{Step, counts, paused, places, queues};
use crate::writer::SLICE;

#[async_trait]
impl Inspect for SqliteStore {
    async fn queues(&self) -> Result<Vec<QueueStats>> {
        let now = self.handle.database.clock.now();
        let (stats, paused, sessions) =
            self.read(|db, _| Ok((counts::queues(db)?, paused_queues(db)?, sessions::list(db)?))).await?;
        let sessions = alive(&self.handle.database, sessions);
        Ok(completed(stats, &paused, &sessions, now))
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

    async fn waiting(
        &self,
        filter: &TaskFilter,
        after: Option<&Position>,
        limit: usize,
    ) -> Result<Page<(Waiting, Place)>> {
        let (filter, after) = (filter.clone(), after.map_or(0, |after| after.number));
        self.read(move |db, live| list_waiting(db, live, &filter, after, limit)).await
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
        let now = self.handle.database.clock.boot();
        let sessions = alive(&self.handle.database, sessions);
        Ok(sessions.into_iter().map(|living| member(living, &held, now)).collect())
    }

    async fn may_have_strangers(&self) -> Result<bool> {
        Ok(false)
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

/// Messages that one page looks at, at most, for what its filter admits.
const LOOKED_AT: usize = 10_000;

/// Tasks that wait or are held and that `filter` admits, in the order of their sending, after message `seq`.
fn list_waiting(
    db: &Connection,
    live: &LiveFolder,
    filter: &TaskFilter,
    mut seq: i64,
    limit: usize,
) -> rusqlite::Result<Page<(Waiting, Place)>> {
    let (mut items, mut looked_at) = (Vec::new(), 0);
    loop {
        let messages = messages::after(db, seq, filter, limit.saturating_add(1).clamp(64, 1024))?;
        if messages.is_empty() {
            return Ok(Page::last(items));
        }
        for stored in messages {
            let before = std::mem::replace(&mut seq, stored.seq);
            looked_at += 1;
            let Some(place) = place(db, live, stored.seq)? else { continue };
            let waiting = waiting(db, stored)?;
            let state = place.state(&waiting.message);
            if filter.admits_waiting(&waiting.message, &waiting.queue, state, waiting.enqueued_at) {
                if items.len() == limit {
                    return Ok(Page { items, next: Some(Position::of(before)) });
                }
                items.push((waiting, place));
            }
        }
        if looked_at >= LOOKED_AT {
            return Ok(Page { items, next: Some(Position::of(seq)) });
        }
    }
}

fn paused_queues(db: &Connection) -> rusqlite::Result<Vec<QueueName>> {
    paused::list(db)?.into_iter().map(|number| queues::known_name(db, number)).collect()
}

/// A session whose process is there, and when it gave its last heartbeat.
type Living = (Session, Option<BootInstant>);

/// Those of `sessions` whose processes are there.
fn alive(database: &Database, sessions: Vec<Session>) -> Vec<Living> {
    let look = |session: Session| match PageReader::open(&database.live, &session.file)
        .map(|page| page.map(|page| page.look()))
    {
        Ok(None | Some(Ok(Seen::Dead))) => None,
        Ok(Some(Ok(Seen::Alive { beat }))) => Some((session, Some(beat))),
        // A file that cannot be read proves nothing.
        Ok(Some(Err(_))) | Err(_) => Some((session, None)),
    };
    sessions.into_iter().filter_map(look).collect()
}

fn member((session, beat): Living, held: &HashMap<i64, u64>, now: BootInstant) -> Member {
    Member {
        session: session.id as u64,
        held: held.get(&session.id).copied().unwrap_or(0),
        worker: session.worker,
        queues: session.queues,
        tasks: session.tasks,
        slots: session.slots,
        since: session.since,
        pid: session.pid,
        heartbeat_age: beat.map_or(Duration::ZERO, |beat| now.since(beat)),
        version: session.version,
    }
}

/// The statistics of all queues that hold something, have a worker or are paused, by name.
fn completed(
    counted: Vec<counts::Counts>,
    paused: &[QueueName],
    sessions: &[Living],
    now: Timestamp,
) -> Vec<QueueStats> {
    let mut stats: BTreeMap<QueueName, QueueStats> =
        counted.into_iter().map(|counts| (counts.queue.clone(), counts.into_stats(now))).collect();
    let mut of = |queue: &QueueName, change: fn(&mut QueueStats)| {
        change(stats.entry(queue.clone()).or_insert_with(|| QueueStats::none(queue.clone())));
    };
    for queue in sessions.iter().flat_map(|(session, _)| &session.queues) {
        of(queue, |stats| stats.workers += 1);
    }
    for queue in paused {
        of(queue, |stats| stats.paused = true);
    }
    stats.into_values().collect()
}
