//! The memory results under the suite of their port, and planted bugs that the suite finds.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use cardoon_core::{ResultRecord, RunNumber, TaskId, Timestamp};
use cardoon_errors::Result;
use cardoon_results::altered::{Alter, Altered};
use cardoon_results::conformance::{CASES, Harness};
use cardoon_results::memory::MemoryResults;
use cardoon_results::{BeginRun, Begun, ResultBackend, Stored};
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
    assert_caught(Bug::TrustsAnyRun, "a_second_run_takes_over").await;
}

#[tokio::test]
async fn results_that_take_any_run_for_current_are_caught() {
    assert_caught(Bug::TrustsAnyRun, "a_run_that_was_taken_over_is_not_current").await;
}

#[tokio::test]
async fn repeated_run_numbers_are_caught() {
    assert_caught(Bug::RepeatsRunNumbers, "run_numbers_grow_over_runs_and_attempts").await;
}

#[tokio::test]
async fn a_forgotten_fence_is_caught() {
    assert_caught(Bug::ForgetsTheFence, "forgetting_a_result_keeps_its_fence").await;
}

/// Whoever is slow is not caught: a case has its own deadline, and panics when that is over.
async fn assert_caught(bug: Bug, name: &str) {
    assert!(passes(Bug::None, name).await, "the wrapper itself is sound");
    assert!(!passes(bug, name).await, "{bug:?} was not noticed");
}

async fn passes(bug: Bug, name: &str) -> bool {
    let case = CASES.iter().find(|case| case.name == name).expect("the suite has this case");
    let mut runs = tokio::task::JoinSet::new();
    runs.spawn((case.run)(fresh(bug)));
    runs.join_next().await.expect("it was started").is_ok()
}

struct MemoryHarness {
    results: Arc<dyn ResultBackend>,
    manual: Arc<ManualClock>,
}

fn fresh(bug: Bug) -> Arc<dyn Harness> {
    let manual = ManualClock::new(Timestamp(1_800_000_000_000));
    let inner = MemoryResults::new(Clock::manual(&manual));
    Arc::new(MemoryHarness { results: Altered::new(inner, bug), manual })
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

#[async_trait]
impl Alter for Bug {
    async fn begin(&self, inner: &dyn ResultBackend, runs: Vec<BeginRun>) -> Vec<Result<Begun>> {
        let begun = inner.begin(runs).await;
        match self {
            Self::RepeatsRunNumbers => begun.into_iter().map(|_| Ok(Begun::Run(RunNumber(2)))).collect(),
            _ => begun,
        }
    }

    async fn is_current(&self, inner: &dyn ResultBackend, runs: &[(TaskId, RunNumber)]) -> Result<Vec<bool>> {
        match self {
            Self::TrustsAnyRun => Ok(vec![true; runs.len()]),
            _ => inner.is_current(runs).await,
        }
    }

    async fn store(&self, inner: &dyn ResultBackend, records: Vec<ResultRecord>) -> Vec<Result<Stored>> {
        let stored = inner.store(records).await;
        match self {
            Self::TrustsAnyRun => stored.into_iter().map(|_| Ok(Stored::Accepted)).collect(),
            _ => stored,
        }
    }

    async fn forget(&self, inner: &dyn ResultBackend, ids: &[TaskId]) -> Result<u64> {
        if *self == Self::ForgetsTheFence {
            inner.reopen(ids).await?;
        }
        inner.forget(ids).await
    }
}
