use cardoon_broker::Delivery;
use cardoon_core::{Lease, Timestamp};
use rusqlite::{Connection, params};

use crate::tables::messages::{self, Stored};
use crate::tables::{Step, paused, places, prepare, queues, revoked};

/// Due messages that one claim moves to their queues at most.
const PROMOTED: usize = 1000;

/// A claim stops when its messages have this many bytes.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// When tasks are left to others, so many messages of a queue are looked at for what stands between them. If there is
/// nothing, the first ones are taken after all, so that what stands behind them is reached.
const LOOKED_AT: usize = 1024;

/// Who claims, and how much.
#[derive(Debug, Clone, Default)]
pub(crate) struct Claimer {
    pub(crate) session: u64,
    /// The numbers of the queues, the next one in turn first.
    pub(crate) queues: Vec<i64>,
    /// The tasks of queues that are left where they are, for others.
    pub(crate) left: Vec<(i64, String)>,
    pub(crate) max: usize,
    /// The sequence of the next lease.
    pub(crate) sequence: u64,
}

impl Claimer {
    fn left_to_others(&self, queue: i64) -> impl Iterator<Item = &str> {
        self.left.iter().filter(move |(of, _)| *of == queue).map(|(_, task)| task.as_str())
    }
}

/// Whether a claim would find or move anything.
pub(crate) fn is_due(db: &Connection, queues: &[i64], now: Timestamp) -> rusqlite::Result<bool> {
    if places::next_due(db)?.is_some_and(|due| due <= now) {
        return Ok(true);
    }
    let mut query = prepare(db, "SELECT 1 FROM ready WHERE queue = ?1 LIMIT 1")?;
    for queue in paused::without(db, queues)? {
        if query.exists([queue])? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Promotes what is due, then takes from the queues in turn.
pub(crate) fn claim(step: &mut Step<'_>, claimer: &Claimer) -> rusqlite::Result<Vec<Delivery>> {
    places::promote(step, PROMOTED)?;
    let mut taken = Taken { claimer, deliveries: Vec::new(), bytes: 0, check_revoked: revoked::any(step)? };
    let queues = paused::without(step.db, &claimer.queues)?;
    for (index, queue) in queues.iter().enumerate() {
        let others = queues.len() - index;
        taken.take(step, *queue, taken.left().div_ceil(others))?;
    }
    for queue in &queues {
        taken.take(step, *queue, taken.left())?;
    }
    Ok(taken.deliveries)
}

/// Takes delayed messages of the claimer's queues before their time, the next due first.
pub(crate) fn claim_delayed(
    step: &mut Step<'_>,
    claimer: &Claimer,
) -> rusqlite::Result<Vec<(Delivery, Timestamp)>> {
    let mut taken = Taken { claimer, deliveries: Vec::new(), bytes: 0, check_revoked: revoked::any(step)? };
    let mut dues = Vec::new();
    for (due, seq) in places::delayed_in(step.db, &claimer.queues, claimer.max)? {
        if taken.left() > 0
            && let Some(stored) = messages::get(step.db, seq)?
            && places::delete_delayed(step, due.0, seq)?
        {
            taken.hold(step, stored)?;
            dues.push(due);
        }
    }
    Ok(taken.deliveries.into_iter().zip(dues).collect())
}

struct Taken<'a> {
    claimer: &'a Claimer,
    deliveries: Vec<Delivery>,
    bytes: usize,
    check_revoked: bool,
}

impl Taken<'_> {
    fn left(&self) -> usize {
        if self.bytes >= MAX_BYTES { 0 } else { self.claimer.max - self.deliveries.len() }
    }

    /// Takes up to `limit` from the head of `queue`.
    fn take(&mut self, step: &mut Step<'_>, queue: i64, limit: usize) -> rusqlite::Result<()> {
        let others: Vec<&str> = self.claimer.left_to_others(queue).collect();
        let is_stuck = limit > 0 && self.take_but(step, queue, limit, &others)?;
        if is_stuck { self.take_but(step, queue, limit, &[]).map(drop) } else { Ok(()) }
    }

    /// Takes up to `limit` from the head of `queue` but the tasks `others`. Answers whether there were only those as far as
    /// it looks.
    fn take_but(
        &mut self,
        step: &mut Step<'_>,
        queue: i64,
        limit: usize,
        others: &[&str],
    ) -> rusqlite::Result<bool> {
        let mut query = prepare(
            step.db,
            concat!(
                "SELECT ",
                messages::columns!(),
                ", r.rank, r.pos FROM ready r CROSS JOIN message m ON m.seq = r.seq
             WHERE r.queue = ?1 ORDER BY r.rank, r.pos LIMIT ?2"
            ),
        )?;
        let looked_at = if others.is_empty() { limit } else { LOOKED_AT };
        let mut rows = query.query(params![queue, looked_at as i64])?;
        let mut places = Places::new(queue, others.is_empty());
        let most = self.deliveries.len() + limit;
        let mut passed_over = 0;
        while self.left() > 0
            && self.deliveries.len() < most
            && let Some(row) = rows.next()?
        {
            if !others.is_empty() && others.contains(&row.get_ref(messages::TASK)?.as_str()?) {
                passed_over += 1;
                continue;
            }
            places.note(row.get(messages::WIDTH)?, row.get(messages::WIDTH + 1)?);
            self.hold(step, Stored::read(row)?)?;
        }
        drop(rows);
        places.remove(step)?;
        Ok(passed_over == LOOKED_AT)
    }

    fn hold(&mut self, step: &mut Step<'_>, stored: Stored) -> rusqlite::Result<()> {
        let sequence = self.claimer.sequence + self.deliveries.len() as u64;
        let lease = Lease { session: self.claimer.session, sequence, tag: stored.seq as u64 };
        places::insert_held(step, lease, stored.queue)?;
        self.bytes += stored.message.size();
        self.deliveries.push(Delivery {
            lease,
            queue: queues::name(step, stored.queue)?,
            outcome_unknown: false,
            revoked: self.check_revoked && revoked::contains(step, &stored.message.id)?,
            message: stored.message,
            redelivered: stored.redelivered,
            resent: stored.resent,
            deaths: stored.deaths,
            enqueued_at: stored.enqueued_at,
        });
        Ok(())
    }
}

/// The places in a queue that were taken from, in its order.
struct Places {
    queue: i64,
    /// Nothing was left out, so the last place of each rank stands for those before it.
    is_head: bool,
    taken: Vec<(i64, i64)>,
}

impl Places {
    fn new(queue: i64, is_head: bool) -> Self {
        Self { queue, is_head, taken: Vec::new() }
    }

    fn note(&mut self, rank: i64, pos: i64) {
        match self.taken.last_mut() {
            Some(last) if self.is_head && last.0 == rank => last.1 = pos,
            _ => self.taken.push((rank, pos)),
        }
    }

    fn remove(&self, step: &Step<'_>) -> rusqlite::Result<()> {
        let sql = if self.is_head {
            "DELETE FROM ready WHERE queue = ?1 AND rank = ?2 AND pos <= ?3"
        } else {
            "DELETE FROM ready WHERE queue = ?1 AND rank = ?2 AND pos = ?3"
        };
        for (rank, pos) in &self.taken {
            step.execute(sql, params![self.queue, rank, pos])?;
        }
        Ok(())
    }
}
