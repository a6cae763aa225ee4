//! Keeps the file small: removes what is older than its retention, in slices, and shortens the write-ahead log.

use std::time::Duration;

use cardoon_core::BootInstant;
use rusqlite::Connection;

use crate::options::{Retention, SqliteOptions};
use crate::tables::{Step, dead, entries, events, records, revoked, tasks};

/// Rows that one transaction removes at most, of each kind.
const SLICE: usize = 256;

/// Between two slices while there is more to remove.
const BREATH: Duration = Duration::from_millis(50);

/// After the last operation, before the log is shortened.
const QUIET: Duration = Duration::from_secs(2);

/// Between two looks for what has become old.
const ROUND: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(crate) struct Upkeep {
    retention: Retention,
    more: bool,
    /// Items that were written since the last slice.
    written: usize,
    /// There were operations since the log was shortened.
    log_grew: bool,
    next: Option<BootInstant>,
}

impl Upkeep {
    pub(crate) fn new(options: &SqliteOptions) -> Self {
        Self { retention: options.retention, more: false, written: 0, log_grew: true, next: None }
    }

    /// How long the writer may wait for operations before it asks for upkeep.
    pub(crate) fn next_pause(&self) -> Duration {
        match (self.more, self.log_grew) {
            (true, _) => BREATH,
            (false, true) => QUIET,
            (false, false) => ROUND,
        }
    }

    /// Whether upkeep has waited long enough although the writer is never idle. While there is more to remove, as much
    /// is removed as is written, however fast that is.
    pub(crate) fn is_overdue(&mut self, now: BootInstant) -> bool {
        let next = *self.next.get_or_insert_with(|| now.plus(ROUND));
        now >= next || (self.more && self.written >= SLICE)
    }

    pub(crate) fn note_work(&mut self, items: usize) {
        self.log_grew = true;
        self.written += items;
    }

    /// Puts the next slice off.
    pub(crate) fn rest(&mut self, now: BootInstant) {
        self.more = false;
        self.next = Some(now.plus(ROUND));
    }

    /// Another process was writing: the next slice is tried soon.
    pub(crate) fn try_again(&mut self, now: BootInstant) {
        self.next = Some(now.plus(BREATH));
    }

    /// Removes one slice of what is too old.
    pub(crate) fn slice(&mut self, step: &mut Step<'_>, now: BootInstant) -> rusqlite::Result<()> {
        let (today, kept) = (step.now, self.retention);
        let (results, history) = (today.minus(kept.results), today.minus(kept.history));
        let (dead_letters, events) = (today.minus(kept.dead_letters), today.minus(kept.events));
        let removed = [
            records::drop_values(step, results, SLICE)?,
            records::prune(step, history, SLICE)?,
            tasks::prune(step, history, SLICE)?,
            revoked::prune(step, history, SLICE)?,
            dead::prune(step, dead_letters, SLICE)?,
            events::prune(step, events, SLICE)?,
            entries::prune(step, SLICE)?,
        ];
        self.written = 0;
        self.more = removed.contains(&SLICE);
        self.next = Some(now.plus(if self.more { BREATH } else { ROUND }));
        Ok(())
    }

    /// Writes the log back into the file and empties it, if nobody is in the way and there is nothing else to do.
    pub(crate) fn shrink_log(&mut self, db: &Connection) {
        if self.more || !self.log_grew {
            return;
        }
        // It only answers whether a reader was in the way; then the next quiet moment will do.
        let done = db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0));
        self.log_grew = !matches!(done, Ok(0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_writer_that_is_never_idle_removes_as_much_as_it_writes() {
        let mut upkeep = Upkeep::new(&SqliteOptions::default());
        let now = BootInstant(1);
        upkeep.more = true;
        upkeep.next = Some(now.plus(BREATH));
        assert!(!upkeep.is_overdue(now));
        upkeep.note_work(SLICE);
        assert!(upkeep.is_overdue(now), "the file would grow without end");
    }

    #[test]
    fn upkeep_that_found_the_lock_taken_comes_back_soon() {
        let mut upkeep = Upkeep::new(&SqliteOptions::default());
        let now = BootInstant(1);
        assert!(!upkeep.is_overdue(now));
        upkeep.try_again(now);
        assert!(upkeep.is_overdue(now.plus(BREATH)), "two processes that never pause would never tidy up");
    }
}
