use cardoon_broker::Revoked;
use cardoon_core::{TaskId, TaskState};
use rusqlite::params;

use super::runs;
use crate::live::Bell;
use crate::tables::messages::{self, Stored};
use crate::tables::places::{self, Line};
use crate::tables::{Step, revoked, tasks};

/// Revokes task `id`: its waiting messages are removed, the holders of the others are told.
pub(crate) fn revoke(step: &mut Step<'_>, id: &TaskId) -> rusqlite::Result<Revoked> {
    revoked::insert(step, id)?;
    let mut answer = Revoked::Remembered;
    for (_, seq) in tasks::messages_of(step, id)? {
        if places::holder(step.db, seq)?.is_some() {
            step.ring(Bell::REVOKE);
            answer = Revoked::Held;
        } else if remove_waiting(step, seq)? && answer == Revoked::Remembered {
            answer = Revoked::Waiting;
        }
    }
    Ok(answer)
}

/// Removes message `seq` if it waits, and records its task as revoked.
fn remove_waiting(step: &mut Step<'_>, seq: i64) -> rusqlite::Result<bool> {
    let Some(stored) = messages::get(step.db, seq)? else { return Ok(false) };
    if !leave_place(step, &stored)? {
        return Ok(false);
    }
    messages::delete(step, seq)?;
    runs::end_unexecuted(step, &stored, TaskState::Revoked, None)?;
    Ok(true)
}

/// Takes a message out of `ready` or `delayed`; answers whether it was there.
fn leave_place(step: &Step<'_>, stored: &Stored) -> rusqlite::Result<bool> {
    let sql = "SELECT due, pos FROM message WHERE seq = ?1";
    let (due, pos) = step
        .first(sql, [stored.seq], |row| Ok((row.get::<_, Option<i64>>(0)?, row.get::<_, Option<i64>>(1)?)))?
        .unwrap_or_default();
    if let Some(due) = due
        && places::delete_delayed(step, due, stored.seq)?
    {
        return Ok(true);
    }
    if crate::tables::dead::contains(step.db, stored.seq)? {
        return Ok(false);
    }
    places::delete_ready(step, Line::new(stored.queue, stored.message.priority), pos, stored.seq)
}

/// Removes up to `limit` messages that wait in `queue`, none newer than `newest`, and records their tasks as
/// revoked. Answers how many.
pub(crate) fn purge(step: &mut Step<'_>, queue: i64, newest: i64, limit: usize) -> rusqlite::Result<usize> {
    let bounds = params![queue, newest, limit as i64];
    let mut waiting: Vec<i64> =
        step.all("SELECT seq FROM ready WHERE queue = ?1 AND seq <= ?2 LIMIT ?3", bounds, |row| row.get(0))?;
    if waiting.len() < limit {
        let bounds = params![queue, newest, (limit - waiting.len()) as i64];
        let sql = "SELECT seq FROM delayed WHERE queue = ?1 AND seq <= ?2 LIMIT ?3";
        waiting.extend(step.all(sql, bounds, |row| row.get::<_, i64>(0))?);
    }
    let mut removed = 0;
    for seq in waiting {
        removed += usize::from(remove_waiting(step, seq)?);
    }
    Ok(removed)
}
