//! The table `worker_order`: what workers are told to do.

use cardoon_broker::Order;
use rusqlite::params;

use super::Step;
use crate::live::Bell;

/// Gives an order to a session, in place of one that it was not told yet.
pub(crate) fn insert(step: &mut Step<'_>, session: i64, order: Order) -> rusqlite::Result<()> {
    let sql = "INSERT OR REPLACE INTO worker_order (session, what) VALUES (?1, ?2)";
    step.execute(sql, params![session, order.as_str()])?;
    step.ring(Bell::REVOKE);
    Ok(())
}

/// Takes the order of a session, if there is one; one that only newer programs know counts as none.
pub(crate) fn take(step: &Step<'_>, session: i64) -> rusqlite::Result<Option<Order>> {
    let sql = "DELETE FROM worker_order WHERE session = ?1 RETURNING what";
    let what = step.first(sql, [session], |row| row.get::<_, String>(0))?;
    Ok(what.and_then(|what| Order::parse(&what)))
}

pub(crate) fn is_there(db: &rusqlite::Connection, session: i64) -> rusqlite::Result<bool> {
    super::prepare(db, "SELECT 1 FROM worker_order WHERE session = ?1")?.exists([session])
}
