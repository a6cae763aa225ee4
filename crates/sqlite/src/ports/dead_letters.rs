use async_trait::async_trait;
use cardoon_broker::{DeadFilter, DeadLetter, DeadLetters};
use cardoon_core::{DeadReason, TaskId};
use cardoon_errors::Result;

use super::slices;
use crate::operations::redrive::{self, Slice};
use crate::store::SqliteStore;
use crate::tables::{Step, dead};
use crate::writer::SLICE;

/// What is done with a slice of dead letters: those that match, up to a number, so many of them.
type Change = fn(&mut Step<'_>, &DeadFilter, i64, usize) -> rusqlite::Result<Slice>;

#[async_trait]
impl DeadLetters for SqliteStore {
    async fn list(&self, filter: &DeadFilter, limit: usize) -> Result<Vec<DeadLetter>> {
        self.handle.check()?;
        let filter = filter.clone();
        self.handle.database.readers.run(move |db| dead::list(db, &filter, limit)).await
    }

    async fn show(&self, id: &TaskId) -> Result<Option<DeadLetter>> {
        let filter = DeadFilter { ids: vec![id.clone()], ..DeadFilter::default() };
        Ok(DeadLetters::list(self, &filter, 1).await?.pop())
    }

    async fn count(&self, filter: &DeadFilter) -> Result<Vec<(DeadReason, u64)>> {
        self.handle.check()?;
        let filter = filter.clone();
        self.handle.database.readers.run(move |db| dead::count(db, &filter)).await
    }

    async fn redrive(&self, filter: &DeadFilter) -> Result<u64> {
        self.change(filter, redrive::redrive).await
    }

    async fn purge(&self, filter: &DeadFilter) -> Result<u64> {
        self.change(filter, redrive::purge).await
    }

    async fn bury(&self, letters: Vec<DeadLetter>) -> Result<u64> {
        self.handle.check()?;
        let buried = slices::each(&self.handle.database.writer, letters, redrive::bury_moved).await;
        buried.into_iter().map(|is_new| is_new.map(u64::from)).sum()
    }
}

impl SqliteStore {
    /// Changes all dead letters that match now, newest first, in slices; answers how many.
    async fn change(&self, filter: &DeadFilter, change: Change) -> Result<u64> {
        self.handle.check()?;
        let mut next = Some(self.handle.database.readers.run(dead::newest).await?);
        let mut changed = 0;
        while let Some(newest) = next {
            let filter = filter.clone();
            let slice = move |step: &mut Step<'_>| change(step, &filter, newest, SLICE);
            let slice = self.handle.database.writer.run(SLICE, slice).await?;
            changed += slice.changed;
            next = slice.next;
        }
        Ok(changed)
    }
}
