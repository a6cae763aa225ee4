use std::collections::HashMap;

use cardoon_core::{QueueName, Timestamp};
use rusqlite::{Connection, OptionalExtension, Params, Row};

use super::prepare;
use crate::live::Bell;

/// A transaction that writes, with what is remembered while it lasts.
pub(crate) struct Step<'c> {
    pub(crate) db: &'c Connection,
    /// When the transaction began.
    pub(crate) now: Timestamp,
    pub(crate) state: &'c mut StepState,
}

/// What the writer remembers: the numbers of queues for good, the rest for one transaction.
#[derive(Debug, Default)]
pub(crate) struct StepState {
    pub(crate) numbers: HashMap<QueueName, i64>,
    pub(crate) names: HashMap<i64, QueueName>,
    /// The next free place at the back, by queue and rank.
    pub(crate) backs: HashMap<(i64, u8), i64>,
    pub(crate) next_seq: Option<i64>,
    rings: Bell,
}

impl<'c> Step<'c> {
    pub(crate) fn new(db: &'c Connection, now: Timestamp, state: &'c mut StepState) -> Self {
        state.backs.clear();
        state.next_seq = None;
        Self { db, now, state }
    }

    /// Rings `bell` when the transaction is committed.
    pub(crate) fn ring(&mut self, bell: Bell) {
        self.state.rings.add(bell);
    }

    /// Executes a statement that changes rows; answers how many.
    pub(crate) fn execute(&self, sql: &str, params: impl Params) -> rusqlite::Result<usize> {
        prepare(self.db, sql)?.execute(params)
    }

    /// Reads the first row of a query, if there is one.
    pub(crate) fn first<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<Option<T>> {
        prepare(self.db, sql)?.query_row(params, read).optional()
    }

    /// Reads all rows of a query.
    pub(crate) fn all<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<Vec<T>> {
        all(self.db, sql, params, read)
    }
}

impl StepState {
    pub(crate) fn take_rings(&mut self) -> Bell {
        std::mem::take(&mut self.rings)
    }

    /// Forgets everything that a transaction, now rolled back, may have taught.
    pub(crate) fn forget(&mut self) {
        *self = Self::default();
    }
}

/// Reads all rows of a query.
pub(crate) fn all<T>(
    db: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    prepare(db, sql)?.query_map(params, read)?.collect()
}
