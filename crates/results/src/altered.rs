//! Results that differ from others in some answers: for tests that refuse, plant a bug, or break off.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use cardoon_core::{Page, Position, Progress, ResultRecord, RunNumber, TaskFilter, TaskId};
use cardoon_errors::Result;

use crate::{BeginRun, Begun, Reported, ResultBackend, Stored};

/// What is done otherwise. By default nothing is: each method asks the `inner` results.
#[async_trait]
pub trait Alter: Send + Sync + 'static {
    async fn begin(&self, inner: &dyn ResultBackend, runs: Vec<BeginRun>) -> Vec<Result<Begun>> {
        inner.begin(runs).await
    }

    async fn is_current(&self, inner: &dyn ResultBackend, runs: &[(TaskId, RunNumber)]) -> Result<Vec<bool>> {
        inner.is_current(runs).await
    }

    async fn store(&self, inner: &dyn ResultBackend, records: Vec<ResultRecord>) -> Vec<Result<Stored>> {
        inner.store(records).await
    }

    async fn forget(&self, inner: &dyn ResultBackend, ids: &[TaskId]) -> Result<u64> {
        inner.forget(ids).await
    }
}

/// The `inner` results, altered.
pub struct Altered<A> {
    inner: Arc<dyn ResultBackend>,
    alter: A,
}

impl<A: Alter> Altered<A> {
    pub fn new(inner: Arc<dyn ResultBackend>, alter: A) -> Arc<Self> {
        Arc::new(Self { inner, alter })
    }
}

#[async_trait]
impl<A: Alter> ResultBackend for Altered<A> {
    async fn begin(&self, runs: Vec<BeginRun>) -> Vec<Result<Begun>> {
        self.alter.begin(&*self.inner, runs).await
    }

    async fn is_current(&self, runs: &[(TaskId, RunNumber)]) -> Result<Vec<bool>> {
        self.alter.is_current(&*self.inner, runs).await
    }

    async fn store(&self, records: Vec<ResultRecord>) -> Vec<Result<Stored>> {
        self.alter.store(&*self.inner, records).await
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

    async fn list(
        &self,
        filter: &TaskFilter,
        after: Option<&Position>,
        limit: usize,
    ) -> Result<Page<ResultRecord>> {
        self.inner.list(filter, after, limit).await
    }

    async fn forget(&self, ids: &[TaskId]) -> Result<u64> {
        self.alter.forget(&*self.inner, ids).await
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
