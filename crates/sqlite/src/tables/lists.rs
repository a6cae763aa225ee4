//! Lists of records: filtered, and in pages.

use std::cmp::Reverse;

use cardoon_core::{Page, Position, ResultRecord, TaskFilter, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, ToSql, params};

use super::{all, prepare, queues, records};

/// Records that one page looks at, at most, for what its filter admits.
const LOOKED_AT: usize = 8_000;

/// Kinds of records that are merged, at most. Where there are more, records are looked at one after the other.
const KINDS: usize = 256;

/// What the index `record_kind` begins with.
type Kind = (String, i64, String);

/// A place in a list: when a record ended, and its number.
type Place = (i64, i64);

/// The latest records of tasks that ended since `since`, newest first.
pub(crate) fn records(
    db: &Connection,
    filter: &TaskFilter,
    since: Timestamp,
    after: Option<&Position>,
    limit: usize,
) -> rusqlite::Result<Page<ResultRecord>> {
    let Some(kinds) = Kinds::matching(db, filter)? else { return Ok(Page::last(Vec::new())) };
    let oldest = filter.since.map_or(since, |wanted| wanted.max(since));
    let mut place = first_place(filter, after);
    let (mut items, mut looked_at) = (Vec::new(), 0);
    loop {
        let candidates = kinds.below(db, place, oldest, chunk(limit, items.len()))?;
        for candidate in &candidates {
            place = *candidate;
            looked_at += 1;
            if let Some(record) = latest(db, candidate.1)?.filter(|record| filter.admits(record)) {
                items.push((*candidate, record));
            }
            if items.len() > limit {
                let page = Page::of(items, limit, |(place, _)| position(*place));
                return Ok(page.map(|(_, record)| record));
            }
        }
        let items_only = |items: Vec<(Place, ResultRecord)>| items.into_iter().map(|(_, record)| record);
        if candidates.is_empty() {
            return Ok(Page::last(items_only(items).collect()));
        }
        if looked_at >= LOOKED_AT {
            return Ok(Page { items: items_only(items).collect(), next: Some(position(place)) });
        }
    }
}

/// How many candidates are read in one go when so many of the wanted are found.
fn chunk(limit: usize, found: usize) -> usize {
    (limit - found).saturating_add(1).clamp(64, 1024)
}

/// The place that the first record of the list comes after.
fn first_place(filter: &TaskFilter, after: Option<&Position>) -> Place {
    match after {
        Some(after) => (after.number, after.id.parse().unwrap_or(i64::MAX)),
        None => (filter.until.map_or(i64::MAX, |until| until.0 - 1), i64::MAX),
    }
}

fn position((ended, n): Place) -> Position {
    Position { number: ended, id: n.to_string() }
}

/// Record `n`, if it is the latest of its task.
fn latest(db: &Connection, n: i64) -> rusqlite::Result<Option<ResultRecord>> {
    let sql = concat!(
        "SELECT ",
        records::columns!(),
        " FROM record r CROSS JOIN queue q ON q.id = r.queue
         WHERE r.n = ?1 AND r.id <> ''
         AND r.n = (SELECT t.record FROM task t WHERE t.id = r.id AND t.attempt >= 0 AND t.record IS NOT NULL
                    ORDER BY t.attempt DESC LIMIT 1)"
    );
    prepare(db, sql)?.query_row([n], records::read).optional()
}

/// The kinds of records that a filter admits.
enum Kinds {
    /// Each is in the order of its ends already.
    Few(Vec<Kind>),
    /// Too many to merge.
    Many,
}

impl Kinds {
    /// `None` if there is no record of such a kind.
    fn matching(db: &Connection, filter: &TaskFilter) -> rusqlite::Result<Option<Self>> {
        let queue = match &filter.queue {
            None => None,
            Some(queue) => match queues::known_number(db, queue)? {
                None => return Ok(None),
                known => known,
            },
        };
        let mut first = (filter.task.clone().unwrap_or_default(), i64::MIN, String::new());
        let mut found = Vec::new();
        for _ in 0..KINDS {
            let Some(kind) = kind_after(db, &first)? else { return Ok(Some(Self::Few(found))) };
            if filter.task.as_ref().is_some_and(|task| *task != kind.0) {
                return Ok(Some(Self::Few(found)));
            }
            if queue.is_none_or(|queue| queue == kind.1)
                && filter.state.is_none_or(|state| state.as_str() == kind.2)
            {
                found.push(kind.clone());
            }
            first = kind;
        }
        Ok(Some(Self::Many))
    }

    /// The next `limit` places after `place`, newest first, that are not older than `oldest`.
    fn below(
        &self,
        db: &Connection,
        place: Place,
        oldest: Timestamp,
        limit: usize,
    ) -> rusqlite::Result<Vec<Place>> {
        let Self::Few(kinds) = self else { return one_after_the_other(db, place, oldest, limit) };
        let sql = "SELECT finished_at, n FROM record WHERE task = ?1 AND queue = ?2 AND state = ?3
                   AND (finished_at, n) < (?4, ?5) AND finished_at >= ?6 ORDER BY finished_at DESC, n DESC LIMIT ?7";
        let mut places = Vec::new();
        for (task, queue, state) in kinds {
            let of_kind = params![task, queue, state, place.0, place.1, oldest.0, limit as i64];
            places.extend(read_places(db, sql, of_kind)?);
        }
        places.sort_unstable_by_key(|place| Reverse(*place));
        places.truncate(limit);
        Ok(places)
    }
}

/// Where the next kind is, asked from the nearest on: each question is one step into the index.
const NEXT_KIND: [&str; 3] = [
    "SELECT task, queue, state FROM record WHERE task = ?1 AND queue = ?2 AND state > ?3 ORDER BY state LIMIT 1",
    "SELECT task, queue, state FROM record WHERE task = ?1 AND queue > ?2 ORDER BY queue, state LIMIT 1",
    "SELECT task, queue, state FROM record WHERE task > ?1 ORDER BY task, queue, state LIMIT 1",
];

/// The first kind after `kind`.
fn kind_after(db: &Connection, (task, queue, state): &Kind) -> rusqlite::Result<Option<Kind>> {
    let known: [&dyn ToSql; 3] = [task, queue, state];
    for (index, sql) in NEXT_KIND.into_iter().enumerate() {
        let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
        let next = prepare(db, sql)?.query_row(&known[..known.len() - index], read).optional()?;
        if next.is_some() {
            return Ok(next);
        }
    }
    Ok(None)
}

/// In the order in which they were stored, which is nearly that of their ends.
fn one_after_the_other(
    db: &Connection,
    place: Place,
    oldest: Timestamp,
    limit: usize,
) -> rusqlite::Result<Vec<Place>> {
    let sql = "SELECT finished_at, n FROM record WHERE n < ?1 AND finished_at >= ?2 ORDER BY n DESC LIMIT ?3";
    read_places(db, sql, params![place.1, oldest.0, limit as i64])
}

fn read_places(db: &Connection, sql: &str, params: &[&dyn ToSql]) -> rusqlite::Result<Vec<Place>> {
    all(db, sql, params, |row| Ok((row.get(0)?, row.get(1)?)))
}
