//! Which run of a task is current, and whose result counts.

use std::sync::Arc;
use std::time::Duration;

use cardoon_core::{Progress, RunNumber, TaskState};
use cardoon_errors::Code;

use super::Harness;
use super::steps::{begin, get, id, record, run, soon, store, success};
use crate::{BeginRun, Begun, Reported, Stored};

pub async fn a_first_run_needs_no_registration(harness: Arc<dyn Harness>) {
    let results = harness.results();
    assert_eq!(store(results.as_ref(), success("a", 1)).await, Stored::Accepted);
    assert_eq!(get(results.as_ref(), "a").await, Some(success("a", 1)));
}

pub async fn a_second_run_takes_over(harness: Arc<dyn Harness>) {
    let results = harness.results();
    let second = run(results.as_ref(), "a", 0).await;
    assert!(second > 1);
    assert_eq!(store(results.as_ref(), success("a", 1)).await, Stored::Stale, "the first is fenced");
    assert_eq!(get(results.as_ref(), "a").await, None, "nothing of it was stored");
    assert_eq!(store(results.as_ref(), success("a", second)).await, Stored::Accepted);
}

pub async fn run_numbers_grow_over_runs_and_attempts(harness: Arc<dyn Harness>) {
    let (results, other) = (harness.results(), harness.second().await);
    let mut numbers = vec![1];
    numbers.push(run(results.as_ref(), "a", 0).await);
    numbers.push(run(other.as_ref(), "a", 0).await);
    let retry = record("a", numbers[2], 0, TaskState::Retry);
    assert_eq!(store(results.as_ref(), retry).await, Stored::Accepted);
    numbers.push(run(other.as_ref(), "a", 1).await);
    numbers.push(run(results.as_ref(), "a", 2).await);
    assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
}

pub async fn an_ended_task_does_not_begin_again(harness: Arc<dyn Harness>) {
    for (name, state) in [("s", TaskState::Success), ("f", TaskState::Failure), ("r", TaskState::Revoked)] {
        let results = harness.results();
        store(results.as_ref(), record(name, 1, 0, state)).await;
        assert_eq!(begin(results.as_ref(), name, 0).await, Begun::Ended);
        assert_eq!(begin(results.as_ref(), name, 7).await, Begun::Ended);
    }
}

pub async fn an_earlier_attempt_is_superseded(harness: Arc<dyn Harness>) {
    let results = harness.results();
    store(results.as_ref(), record("a", 1, 0, TaskState::Retry)).await;
    assert_eq!(begin(results.as_ref(), "a", 0).await, Begun::Superseded);
    let second = run(results.as_ref(), "a", 1).await;
    assert_eq!(store(results.as_ref(), success("a", 1)).await, Stored::Stale);
    assert_eq!(store(results.as_ref(), record("a", second, 1, TaskState::Success)).await, Stored::Accepted);
}

pub async fn an_end_never_changes(harness: Arc<dyn Harness>) {
    let results = harness.results();
    store(results.as_ref(), success("a", 1)).await;
    let late = record("a", 1, 0, TaskState::Failure);
    assert_eq!(store(results.as_ref(), late).await, Stored::Stale);
    assert_eq!(store(results.as_ref(), success("a", 2)).await, Stored::Stale);
    assert_eq!(get(results.as_ref(), "a").await, Some(success("a", 1)));
}

pub async fn each_item_of_a_batch_is_answered(harness: Arc<dyn Harness>) {
    let results = harness.results();
    store(results.as_ref(), success("ended", 1)).await;
    let batch = vec![success("a", 1), success("ended", 1), success("b", 9), success("a", 1)];
    let answers: Vec<_> =
        results.store(batch).await.into_iter().map(|answer| answer.expect("it is answered")).collect();
    assert_eq!(answers, [Stored::Accepted, Stored::Stale, Stored::Stale, Stored::Stale]);
    let runs = ["a", "fresh"].map(|name| BeginRun { id: id(name), attempt: 0 }).to_vec();
    let begun: Vec<_> =
        results.begin(runs).await.into_iter().map(|answer| answer.expect("it is answered")).collect();
    assert_eq!(begun[0], Begun::Ended);
    assert!(matches!(begun[1], Begun::Run(_)));
}

pub async fn a_run_that_was_taken_over_is_not_current(harness: Arc<dyn Harness>) {
    let results = harness.results();
    let second = run(results.as_ref(), "a", 0).await;
    store(results.as_ref(), success("ended", 1)).await;
    let runs = [("a", 1), ("a", second), ("ended", 1), ("fresh", 1), ("fresh", 2)];
    let runs = runs.map(|(name, run)| (id(name), RunNumber(run)));
    let answers = results.is_current(&runs).await.expect("it is answered");
    assert_eq!(answers, [false, true, false, true, false]);
}

pub async fn forgetting_a_result_keeps_its_fence(harness: Arc<dyn Harness>) {
    let results = harness.results();
    store(results.as_ref(), success("a", 1)).await;
    assert_eq!(results.forget(&[id("a"), id("unknown")]).await.expect("it is forgotten"), 1);
    assert_eq!(get(results.as_ref(), "a").await, None);
    assert_eq!(results.history(&id("a")).await.expect("the history is read"), []);
    assert_eq!(begin(results.as_ref(), "a", 0).await, Begun::Ended, "it does not run again");
    assert_eq!(store(results.as_ref(), success("a", 1)).await, Stored::Stale);
}

pub async fn a_reopened_task_runs_under_a_larger_number(harness: Arc<dyn Harness>) {
    let results = harness.results();
    let last = run(results.as_ref(), "a", 2).await;
    store(results.as_ref(), record("a", last, 2, TaskState::Failure)).await;
    assert_eq!(results.reopen(&[id("a"), id("unknown")]).await.expect("it is reopened"), 1);
    assert_eq!(get(results.as_ref(), "a").await, None, "its result is forgotten");
    let again = run(results.as_ref(), "a", 0).await;
    assert!(again > last, "run {again} is not larger than {last}");
    assert_eq!(store(results.as_ref(), success("a", again)).await, Stored::Accepted);
    let history = results.history(&id("a")).await.expect("the history is read");
    assert_eq!(history.iter().map(|record| record.run.0).collect::<Vec<_>>(), [last, again]);
}

/// It waits to run again, so an old record that comes from elsewhere must not end it.
pub async fn a_reopened_task_that_nobody_knew_is_not_ended_by_its_first_run(harness: Arc<dyn Harness>) {
    let results = harness.results();
    assert_eq!(results.reopen(&[id("a")]).await.expect("it is reopened"), 0);
    assert_eq!(store(results.as_ref(), success("a", 1)).await, Stored::Stale);
    let again = run(results.as_ref(), "a", 0).await;
    assert_eq!(store(results.as_ref(), success("a", again)).await, Stored::Accepted);
}

pub async fn fences_survive_reopening(harness: Arc<dyn Harness>) {
    let results = harness.results();
    let second = run(results.as_ref(), "running", 0).await;
    store(results.as_ref(), success("ended", 1)).await;
    drop(results);
    let Some(results) = harness.reopen().await else { return };
    assert_eq!(get(results.as_ref(), "ended").await, Some(success("ended", 1)));
    assert_eq!(begin(results.as_ref(), "ended", 0).await, Begun::Ended);
    assert_eq!(store(results.as_ref(), success("running", 1)).await, Stored::Stale);
    assert_eq!(store(results.as_ref(), success("running", second)).await, Stored::Accepted);
}

pub async fn progress_is_taken_from_the_current_run_alone(harness: Arc<dyn Harness>) {
    let results = harness.results();
    let second = RunNumber(run(results.as_ref(), "a", 0).await);
    let at = |done| Progress { done, total: Some(10), message: String::new() };
    for (run, done) in [(second, 3), (RunNumber::FIRST, 9), (second, 4), (RunNumber::FIRST, 9)] {
        results.report(&id("a"), run, at(done)).await.expect("a refusal is silent");
    }
    let reported = results.progress(&id("a")).await.expect("progress is read");
    assert_eq!(reported, Some(Reported { run: second, progress: at(4) }), "the last one of the current run");
}

pub async fn a_closed_store_says_so(harness: Arc<dyn Harness>) {
    let results = harness.results();
    soon("close", results.close(Duration::from_secs(5))).await.expect("it closes");
    let answers = soon("store", results.store(vec![success("a", 1)])).await;
    let codes: Vec<_> = answers.into_iter().map(|answer| answer.map_err(|error| error.code())).collect();
    assert_eq!(codes, [Err(Code::StoreClosed)]);
    let waited = soon("wait", results.wait(&id("a"), None)).await.map_err(|error| error.code());
    assert_eq!(waited, Err(Code::StoreClosed));
}
