//! The memory results under the suite of their port, and planted bugs that the suite finds.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use cardoon_core::{Progress, ResultRecord, RunNumber, TaskId, Timestamp};
use cardoon_errors::Result;
use cardoon_results::conformance::{CASES, Harness};
use cardoon_results::memory::MemoryResults;
use cardoon_results::{BeginRun, Begun, RecordFilter, Reported, ResultBackend, Stored};
use cardoon_runtime::{Clock, ManualClock};

cardoon_results::results_conformance!(std::future::ready(fresh(Bug::None)));

/// What is wrong with the results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bug {
    None,
    /// A result counts, whichever run it is of.
    TrustsAnyRun,
    /// Each run that begins gets the same number.
    RepeatsRunNumbers,
    /// Who forgets a result forgets its run record too.
    ForgetsTheFence,
}

#[tokio::test]
async fn results_that_trust_any_run_are_caught() {
    assert!(!passes(Bug::TrustsAnyRun, "a_second_run_takes_over").await);
}

#[tokio::test]
async fn results_that_take_any_run_for_current_are_caught() {
    assert!(!passes(Bug::TrustsAnyRun, "a_run_that_was_taken_over_is_not_current").await);
}

#[tokio::test]
async fn repeated_run_numbers_are_caught() {
    assert!(!passes(Bug::RepeatsRunNumbers, "run_numbers_grow_over_runs_and_attempts").await);
}

#[tokio::test]
async fn a_forgotten_fence_is_caught() {
    assert!(!passes(Bug::ForgetsTheFence, "forgetting_a_result_keeps_its_fence").await);
}

async fn passes(bug: Bug, name: &str) -> bool {
    let case = CASES.iter().find(|case| case.name == name).expect("the suite has this case");
    let mut runs = tokio::task::JoinSet::new();
    runs.spawn((case.run)(fresh(bug)));
    matches!(tokio::time::timeout(Duration::from_secs(3), runs.join_next()).await, Ok(Some(Ok(()))))
}

struct MemoryHarness {
    results: Arc<Planted>,
    manual: Arc<ManualClock>,
}

fn fresh(bug: Bug) -> Arc<dyn Harness> {
    let manual = ManualClock::new(Timestamp(1_800_000_000_000));
    let inner = MemoryResults::new(Clock::manual(&manual));
    Arc::new(MemoryHarness { results: Arc::new(Planted { inner, bug }), manual })
}

#[async_trait]
impl Harness for MemoryHarness {
    fn results(&self) -> Arc<dyn ResultBackend> {
        self.results.clone()
    }

    async fn second(&self) -> Arc<dyn ResultBackend> {
        self.results.clone()
    }

    async fn reopen(&self) -> Option<Arc<dyn ResultBackend>> {
        None
    }

    async fn pass(&self, time: Duration) {
        self.manual.advance(time);
    }
}

struct Planted {
    inner: Arc<MemoryResults>,
    bug: Bug,
}

#[async_trait]
impl ResultBackend for Planted {
    async fn begin(&self, runs: Vec<BeginRun>) -> Vec<Result<Begun>> {
        let begun = self.inner.begin(runs).await;
        match self.bug {
            Bug::RepeatsRunNumbers => begun.into_iter().map(|_| Ok(Begun::Run(RunNumber(2)))).collect(),
            _ => begun,
        }
    }

    async fn is_current(&self, runs: &[(TaskId, RunNumber)]) -> Result<Vec<bool>> {
        match self.bug {
            Bug::TrustsAnyRun => Ok(vec![true; runs.len()]),
            _ => self.inner.is_current(runs).await,
        }
    }

    async fn store(&self, records: Vec<ResultRecord>) -> Vec<Result<Stored>> {
        let stored = self.inner.store(records).await;
        match self.bug {
            Bug::TrustsAnyRun => stored.into_iter().map(|_| Ok(Stored::Accepted)).collect(),
            _ => stored,
        }
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
        if self.bug == Bug::ForgetsTheFence {
            self.inner.reopen(ids).await?;
        }
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
