//! Results in memory that refuse what a test wants them to refuse.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use cardoon_core::{Progress, ResultRecord, RunNumber, TaskId};
use cardoon_errors::{Error, Result};
use cardoon_results::memory::MemoryResults;
use cardoon_results::{BeginRun, Begun, RecordFilter, Reported, ResultBackend, Stored};

type Refuse = Box<dyn Fn(&ResultRecord) -> Option<Error> + Send + Sync>;

pub(crate) struct Refusing {
    inner: Arc<MemoryResults>,
    refuse: Refuse,
}

impl Refusing {
    /// `refuse` says why a record is not stored.
    pub(crate) fn new(
        inner: &Arc<MemoryResults>,
        refuse: impl Fn(&ResultRecord) -> Option<Error> + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self { inner: Arc::clone(inner), refuse: Box::new(refuse) })
    }
}

#[async_trait]
impl ResultBackend for Refusing {
    async fn begin(&self, runs: Vec<BeginRun>) -> Vec<Result<Begun>> {
        self.inner.begin(runs).await
    }

    async fn is_current(&self, runs: &[(TaskId, RunNumber)]) -> Result<Vec<bool>> {
        self.inner.is_current(runs).await
    }

    async fn store(&self, records: Vec<ResultRecord>) -> Vec<Result<Stored>> {
        let mut answers = Vec::new();
        for record in records {
            answers.push(match (self.refuse)(&record) {
                Some(error) => Err(error),
                None => self.inner.store(vec![record]).await.remove(0),
            });
        }
        answers
    }

    async fn get(&self, ids: &[TaskId]) -> Result<Vec<Option<ResultRecord>>> {
        self.inner.get(ids).await
    }

    async fn wait(&self, id: &TaskId, limit: Option<Duration>) -> Result<Option<ResultRecord>> {
        self.inner.wait(id, limit).await
    }

    async fn history(&self, id: &TaskId) -> Result<Vec<ResultRecord>> {
        self.inner.history(id).await
    }

    async fn list(&self, filter: &RecordFilter, limit: usize) -> Result<Vec<ResultRecord>> {
        self.inner.list(filter, limit).await
    }

    async fn forget(&self, ids: &[TaskId]) -> Result<u64> {
        self.inner.forget(ids).await
    }

    async fn reopen(&self, ids: &[TaskId]) -> Result<u64> {
        self.inner.reopen(ids).await
    }

    async fn report(&self, id: &TaskId, run: RunNumber, progress: Progress) -> Result<()> {
        self.inner.report(id, run, progress).await
    }

    async fn progress(&self, id: &TaskId) -> Result<Option<Reported>> {
        self.inner.progress(id).await
    }

    async fn close(&self, limit: Duration) -> Result<()> {
        self.inner.close(limit).await
    }
}
