//! Waiting for results, and reading what happened.

use std::collections::HashSet;
use std::future::Future;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use cardoon_core::{QueueName, TaskFilter, TaskState, Timestamp};

use super::Harness;
use super::steps::{get, id, record, run, soon, store, success};
use crate::{ResultBackend, Stored};

const LIMIT: Duration = Duration::from_millis(200);

pub async fn an_unknown_task_has_no_record(harness: Arc<dyn Harness>) {
    let results = harness.results();
    assert_eq!(get(results.as_ref(), "unknown").await, None);
    assert_eq!(results.history(&id("unknown")).await.expect("the history is read"), []);
    assert_eq!(results.progress(&id("unknown")).await.expect("progress is read"), None);
}

pub async fn a_wait_wakes_for_a_result(harness: Arc<dyn Harness>) {
    let results = harness.results();
    wakes(results.as_ref(), results.as_ref()).await;
}

pub async fn a_wait_wakes_for_a_result_of_another_handle(harness: Arc<dyn Harness>) {
    let (results, other) = (harness.results(), harness.second().await);
    wakes(results.as_ref(), other.as_ref()).await;
}

async fn wakes(waiting: &dyn ResultBackend, storing: &dyn ResultBackend) {
    let task = id("a");
    let mut wait = waiting.wait(&task, None);
    assert!(is_pending(&mut wait).await, "the task has not ended");
    store(storing, success("other", 1)).await;
    store(storing, success("a", 1)).await;
    let woken = soon("a wait that wakes", wait).await.expect("the wait is answered");
    assert_eq!(woken, Some(success("a", 1)));
}

async fn is_pending<F: Future + Unpin>(future: &mut F) -> bool {
    std::future::poll_fn(|context| Poll::Ready(std::pin::Pin::new(&mut *future).poll(context).is_pending()))
        .await
}

pub async fn a_wait_ends_at_its_limit(harness: Arc<dyn Harness>) {
    let results = harness.results();
    let task = id("a");
    let mut wait = results.wait(&task, Some(LIMIT));
    assert!(is_pending(&mut wait).await, "there is time left");
    harness.pass(LIMIT).await;
    assert_eq!(soon("the end of the wait", wait).await.expect("the wait is answered"), None);
}

pub async fn a_wait_answers_at_once_when_the_task_has_ended(harness: Arc<dyn Harness>) {
    let results = harness.results();
    store(results.as_ref(), success("a", 1)).await;
    let answer = soon("wait", results.wait(&id("a"), Some(Duration::ZERO))).await;
    assert_eq!(answer.expect("the wait is answered"), Some(success("a", 1)));
}

pub async fn a_retry_does_not_end_a_wait(harness: Arc<dyn Harness>) {
    let results = harness.results();
    let task = id("a");
    let mut wait = results.wait(&task, None);
    assert!(is_pending(&mut wait).await);
    store(results.as_ref(), record("a", 1, 0, TaskState::Retry)).await;
    assert!(is_pending(&mut wait).await, "the task goes on");
    let second = run(results.as_ref(), "a", 1).await;
    store(results.as_ref(), record("a", second, 1, TaskState::Success)).await;
    let woken = soon("a wait that wakes", wait).await.expect("the wait is answered");
    assert_eq!(woken.expect("it has ended").attempt, 1);
}

pub async fn history_lists_ended_runs_first_to_last(harness: Arc<dyn Harness>) {
    let results = harness.results();
    let mut expected = vec![record("a", 1, 0, TaskState::Retry)];
    store(results.as_ref(), expected[0].clone()).await;
    for (attempt, state) in [(1, TaskState::Retry), (2, TaskState::Failure)] {
        let run = run(results.as_ref(), "a", attempt).await;
        expected.push(record("a", run, attempt, state));
        store(results.as_ref(), record("a", run, attempt, state)).await;
    }
    assert_eq!(store(results.as_ref(), success("a", 1)).await, Stored::Stale);
    assert_eq!(results.history(&id("a")).await.expect("the history is read"), expected);
    assert_eq!(get(results.as_ref(), "a").await.as_ref(), expected.last());
}

pub async fn lists_are_newest_first_and_filtered(harness: Arc<dyn Harness>) {
    let results = harness.results();
    store_three(results.as_ref()).await;
    let list = async |filter: &TaskFilter, limit| first_page(results.as_ref(), filter, limit).await;
    let all = TaskFilter::default();
    assert_eq!(list(&all, 10).await, ["c", "b", "a"]);
    assert_eq!(list(&all, 2).await, ["c", "b"]);
    let succeeded = TaskFilter { state: Some(TaskState::Success), ..all.clone() };
    assert_eq!(list(&succeeded, 10).await, ["c", "a"]);
    let reports = TaskFilter { task: Some("report".into()), ..all.clone() };
    assert_eq!(list(&reports, 10).await, ["b"]);
    let of_queue = TaskFilter { queue: Some(queue("reports")), ..all.clone() };
    assert_eq!(list(&of_queue, 10).await, ["b"]);
    let other_state = TaskFilter { state: Some(TaskState::Success), ..of_queue };
    assert_eq!(list(&other_state, 10).await, [""; 0]);
    let middle = success("b", 1).finished_at.0 + 1;
    let span =
        TaskFilter { since: Some(Timestamp(middle)), until: Some(Timestamp(middle + 1)), ..all.clone() };
    assert_eq!(list(&span, 10).await, ["b"]);
    let text = TaskFilter { text: Some("RUN 1 FAILED".into()), ..all };
    assert_eq!(list(&text, 10).await, ["b"]);
}

/// The tasks a, b and c; b is a report in a queue of its own, and has failed.
async fn store_three(results: &dyn ResultBackend) {
    for (n, name) in ["a", "b", "c"].into_iter().enumerate() {
        let state = if name == "b" { TaskState::Failure } else { TaskState::Success };
        let mut ended = record(name, 1, 0, state);
        ended.finished_at.0 += n as i64;
        if name == "b" {
            ended.task = "report".into();
            ended.queue = queue("reports");
        }
        store(results, ended).await;
    }
}

pub async fn a_list_in_pages_has_each_record_once(harness: Arc<dyn Harness>) {
    const COUNT: usize = 25;
    let results = harness.results();
    let mut batch: Vec<_> = (0..COUNT).map(|n| success(&format!("task-{n}"), 1)).collect();
    for (n, ended) in batch.iter_mut().enumerate() {
        // Several have one time.
        ended.finished_at.0 += n as i64 / 4;
    }
    soon("store", results.store(batch)).await;
    let filter = TaskFilter { task: Some("mail.send".into()), ..TaskFilter::default() };
    let (mut names, mut after) = (Vec::new(), None);
    loop {
        let page = results.list(&filter, after.as_ref(), 7).await.expect("records are listed");
        assert!(page.items.len() <= 7);
        names.extend(page.items.iter().map(|record| record.id.as_str().to_owned()));
        // What ends meanwhile disturbs nothing.
        store(results.as_ref(), success(&format!("new-{}", names.len()), 1)).await;
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    names.retain(|name| name.starts_with("task-"));
    let (listed, unique) = (names.len(), names.iter().collect::<HashSet<_>>().len());
    assert_eq!((listed, unique), (COUNT, COUNT));
}

async fn first_page(results: &dyn ResultBackend, filter: &TaskFilter, limit: usize) -> Vec<String> {
    let found = results.list(filter, None, limit).await.expect("records are listed");
    found.items.iter().map(|record| record.id.as_str().to_owned()).collect()
}

fn queue(name: &str) -> QueueName {
    QueueName::new(name).expect("the cases' names are good")
}

pub async fn many_records_are_stored_in_one_batch(harness: Arc<dyn Harness>) {
    const COUNT: usize = 10_000;
    let results = harness.results();
    let batch = (0..COUNT).map(|n| success(&format!("task-{n}"), 1)).collect();
    let answers = soon("store", results.store(batch)).await;
    assert!(answers.iter().all(|answer| matches!(answer, Ok(Stored::Accepted))));
    let ids: Vec<_> = (0..COUNT).map(|n| id(&format!("task-{n}"))).collect();
    let found = soon("get", results.get(&ids)).await.expect("the store is read");
    assert_eq!(found.iter().flatten().count(), COUNT);
}
