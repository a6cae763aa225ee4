use std::time::Duration;

use async_trait::async_trait;
use cardoon_core::{
    BootInstant, Page, Position, Progress, ResultRecord, RunNumber, TaskFilter, TaskId, Timestamp,
};
use cardoon_errors::Result;
use cardoon_results::{BeginRun, Begun, Reported, ResultBackend, Stored};
use cardoon_runtime::Clock;

use super::slices;
use crate::live::Bell;
use crate::operations::runs;
use crate::store::SqliteStore;
use crate::tables::{Step, lists, records};

#[async_trait]
impl ResultBackend for SqliteStore {
    async fn begin(&self, batch: Vec<BeginRun>) -> Vec<Result<Begun>> {
        if let Err(error) = self.handle.check() {
            return slices::refused(batch.len(), &error);
        }
        slices::each(&self.handle.database.writer, batch, |step, run| runs::register(step, run)).await
    }

    async fn is_current(&self, runs: &[(TaskId, RunNumber)]) -> Result<Vec<bool>> {
        self.handle.check()?;
        let asked = runs.to_vec();
        let each = move |step: &mut Step<'_>| {
            asked.iter().map(|(id, run)| runs::is_current(step, id, *run)).collect()
        };
        self.handle.database.writer.run(runs.len(), each).await
    }

    async fn store(&self, batch: Vec<ResultRecord>) -> Vec<Result<Stored>> {
        if let Err(error) = self.handle.check() {
            return slices::refused(batch.len(), &error);
        }
        slices::each(&self.handle.database.writer, batch, runs::store).await
    }

    async fn get(&self, ids: &[TaskId]) -> Result<Vec<Option<ResultRecord>>> {
        self.handle.check()?;
        let (ids, since) = (ids.to_vec(), self.kept_since());
        let read = move |db: &_| ids.iter().map(|id| records::latest(db, id, since)).collect();
        self.handle.database.readers.run(read).await
    }

    async fn wait(&self, id: &TaskId, limit: Option<Duration>) -> Result<Option<ResultRecord>> {
        self.handle.check()?;
        let database = &self.handle.database;
        let deadline = limit.map(|limit| database.clock.boot().plus(limit));
        database.listen(Bell::RESULT)?;
        let mut waiter = database.waiters.join(id);
        let (waiters, id, since) = (std::sync::Arc::clone(&database.waiters), id.clone(), self.kept_since());
        let look = move |db: &_| {
            waiters.begin_following(db)?;
            records::latest(db, &id, since)
        };
        let found = database.readers.run(look).await?.filter(|record| record.state.is_final());
        if found.is_some() {
            return Ok(found);
        }
        let mut closing = self.handle.closing();
        tokio::select! {
            record = &mut waiter.ended => match record {
                Ok(record) => Ok(Some(record)),
                Err(_) => self.handle.check().map(|()| None),
            },
            () = until(&database.clock, deadline) => Ok(None),
            _ = closing.wait_for(|closed| *closed) => self.handle.check().map(|()| None),
        }
    }

    async fn history(&self, id: &TaskId) -> Result<Vec<ResultRecord>> {
        self.handle.check()?;
        let id = id.clone();
        self.handle.database.readers.run(move |db| records::history(db, &id)).await
    }

    async fn list(
        &self,
        filter: &TaskFilter,
        after: Option<&Position>,
        limit: usize,
    ) -> Result<Page<ResultRecord>> {
        self.handle.check()?;
        let (filter, since, after) = (filter.clone(), self.kept_since(), after.cloned());
        let read = move |db: &_| lists::records(db, &filter, since, after.as_ref(), limit);
        self.handle.database.readers.run(read).await
    }

    async fn forget(&self, ids: &[TaskId]) -> Result<u64> {
        self.handle.check()?;
        let answers =
            slices::each(&self.handle.database.writer, ids.to_vec(), |step, id| records::forget(step, id))
                .await;
        count(answers)
    }

    async fn reopen(&self, ids: &[TaskId]) -> Result<u64> {
        self.handle.check()?;
        let answers = slices::each(&self.handle.database.writer, ids.to_vec(), |step, id| {
            runs::let_run_again(step, id)
        })
        .await;
        count(answers)
    }

    async fn report(&self, id: &TaskId, run: RunNumber, progress: Progress) -> Result<()> {
        self.handle.check()?;
        let id = id.clone();
        self.handle.database.writer.run(1, move |step| runs::report(step, &id, run, &progress)).await
    }

    async fn progress(&self, id: &TaskId) -> Result<Option<Reported>> {
        self.handle.check()?;
        let id = id.clone();
        self.handle.database.readers.run(move |db| records::progress(db, &id)).await
    }

    async fn close(&self, limit: Duration) -> Result<()> {
        Self::close(self, limit).await
    }
}

impl SqliteStore {
    /// Results that are older are not shown any more, though they may not be removed yet.
    fn kept_since(&self) -> Timestamp {
        let database = &self.handle.database;
        database.clock.now().minus(database.options.retention.results)
    }
}

/// How many of the answers are yes.
fn count(answers: Vec<Result<bool>>) -> Result<u64> {
    answers.into_iter().try_fold(0, |count, answer| answer.map(|yes| count + u64::from(yes)))
}

/// Waits for `deadline`; for ever if there is none.
async fn until(clock: &Clock, deadline: Option<BootInstant>) {
    match deadline {
        Some(deadline) => clock.sleep(deadline.since(clock.boot())).await,
        None => std::future::pending().await,
    }
}
