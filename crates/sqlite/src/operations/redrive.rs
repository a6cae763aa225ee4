use cardoon_broker::DeadFilter;
use cardoon_core::run::reopen;
use rusqlite::params;

use crate::tables::messages::Stored;
use crate::tables::places::{self, Line};
use crate::tables::{Step, dead, revoked, tasks};

/// Answers of one slice: how many messages it changed, and where the next slice begins.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slice {
    pub(crate) changed: u64,
    /// Dead letters with numbers up to this one are still to come; `None` at the end.
    pub(crate) next: Option<i64>,
}

/// Sends up to `limit` matching dead letters, with numbers up to `newest`, to their queues again.
pub(crate) fn redrive(
    step: &mut Step<'_>,
    filter: &DeadFilter,
    newest: i64,
    limit: usize,
) -> rusqlite::Result<Slice> {
    each(step, filter, newest, limit, send_again)
}

/// Deletes up to `limit` matching dead letters with numbers up to `newest`.
pub(crate) fn purge(
    step: &mut Step<'_>,
    filter: &DeadFilter,
    newest: i64,
    limit: usize,
) -> rusqlite::Result<Slice> {
    each(step, filter, newest, limit, |step, stored| dead::remove(step, stored.seq).map(|()| true))
}

fn each(
    step: &mut Step<'_>,
    filter: &DeadFilter,
    newest: i64,
    limit: usize,
    mut change: impl FnMut(&mut Step<'_>, &Stored) -> rusqlite::Result<bool>,
) -> rusqlite::Result<Slice> {
    let letters = dead::matching(step.db, filter, newest, limit)?;
    let next = letters.last().filter(|_| letters.len() == limit).map(|(n, _)| n - 1);
    let mut changed = 0;
    for (_, stored) in &letters {
        changed += u64::from(change(step, stored)?);
    }
    Ok(Slice { changed, next })
}

/// Puts the message at the back of its queue as attempt 0, marked as sent again, so that its next run registers and
/// gets a number above all earlier ones.
fn send_again(step: &mut Step<'_>, stored: &Stored) -> rusqlite::Result<bool> {
    let id = &stored.message.id;
    if tasks::has_message(step, id)? {
        return Ok(false);
    }
    let run = tasks::run_record(step, id)?.map(reopen);
    tasks::reopen(step, id, run)?;
    tasks::take_identity(step, id, 0, stored.seq)?;
    revoked::delete(step, id)?;
    dead::delete(step, stored.seq)?;
    let line = Line::new(stored.queue, stored.message.priority);
    let pos = places::next_back(step, line)?;
    step.execute(
        "UPDATE message SET attempt = 0, resent = 1, redelivered = 0, deaths = 0, due = NULL, pos = ?2, enqueued_at = ?3
         WHERE seq = ?1",
        params![stored.seq, pos, step.now.0],
    )?;
    places::insert_ready(step, line, pos, stored.seq)?;
    Ok(true)
}
