//! Stores that refuse what a worker tells them, and runs that are stale without knowing it.
#![expect(clippy::unwrap_used, reason = "a test says by a panic what went wrong")]

#[path = "support/results.rs"]
mod results;
mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use cardoon_broker::Broker;
use cardoon_core::{DeadReason, Page, TaskFilter, TaskState};
use cardoon_errors::{Code, Error};
use cardoon_results::{BeginRun, ResultBackend};
use cardoon_worker::{Handler, TaskError, TaskOptions, Worker, WorkerBuilder};
use results::Refusing;
use support::{Bench, definition, echo, nothing};
use tokio::sync::Semaphore;

fn builder(bench: &Bench, results: Arc<dyn ResultBackend>) -> WorkerBuilder {
    Worker::builder(bench.broker.clone(), results, false).concurrency(2)
}

#[tokio::test]
async fn a_result_that_the_store_refuses_becomes_a_failure_and_the_task_ran_once() {
    let bench = Bench::without_worker();
    let results = Refusing::results(&bench.results, |record| {
        (record.state == TaskState::Success).then(|| Error::new(Code::TooLarge, "the result is too large"))
    });
    let runs = Arc::new(AtomicU32::new(0));
    let counting = Arc::clone(&runs);
    let task = Handler::asynchronous(move |_, _| {
        counting.fetch_add(1, Ordering::SeqCst);
        async { nothing() }
    });
    let worker = bench.run(builder(&bench, results).task(definition("t", TaskOptions::default(), task)));
    let id = bench.send("t", "[]").await;
    let failure = bench.wait(&id).await.failure.unwrap();
    assert_eq!(failure.kind, "NotStored");
    assert!(failure.message.contains("CD3012") && failure.message.contains("CD2002"), "{failure}");
    assert_eq!(bench.dead(&id).await.reason, DeadReason::NotStored);
    worker.stop().await;
    assert_eq!((runs.load(Ordering::SeqCst), bench.held().await), (1, 0));
}

#[tokio::test]
async fn an_error_that_comes_once_does_not_cost_a_result() {
    let bench = Bench::without_worker();
    let failed = AtomicBool::new(false);
    let results = Refusing::results(&bench.results, move |_| {
        let first = !failed.swap(true, Ordering::SeqCst);
        first.then(|| Error::new(Code::Internal, "a query broke off"))
    });
    let worker = bench.run(builder(&bench, results).task(definition("t", TaskOptions::default(), echo())));
    let id = bench.send("t", "[]").await;
    assert_eq!(bench.wait(&id).await.state, TaskState::Success);
    worker.stop().await;
}

#[tokio::test]
async fn results_that_do_not_fit_on_the_disk_hold_up_no_others() {
    let bench = Bench::without_worker();
    let full = Arc::new(AtomicBool::new(true));
    let still_full = Arc::clone(&full);
    let results = Refusing::results(&bench.results, move |record| {
        let refused = record.task == "large" && still_full.load(Ordering::SeqCst);
        refused.then(|| Error::new(Code::DiskFull, "the disk is full"))
    });
    let tasks = ["large", "small"].map(|name| definition(name, TaskOptions::default(), echo()));
    let worker = bench.run(builder(&bench, results).tasks(tasks));
    let mut large = Vec::new();
    for count in 1..=5 {
        large.push(bench.send("large", "[]").await);
        support::until(async || bench.held().await == count).await;
        let small = bench.send("small", "[]").await;
        assert_eq!(bench.wait(&small).await.state, TaskState::Success);
        support::until(async || bench.held().await == count).await;
    }
    full.store(false, Ordering::SeqCst);
    for id in &large {
        assert_eq!(bench.wait(id).await.state, TaskState::Success);
    }
    worker.stop().await;
}

#[tokio::test]
async fn a_stale_run_that_fails_sends_no_retry() {
    let (gate, runs) = (Arc::new(Semaphore::new(0)), Arc::new(AtomicU32::new(0)));
    let (waiting, counting) = (Arc::clone(&gate), Arc::clone(&runs));
    let failing_first = Handler::asynchronous(move |_, _| {
        let (waiting, first) = (Arc::clone(&waiting), counting.fetch_add(1, Ordering::SeqCst) == 0);
        async move {
            if first {
                let _ = waiting.acquire().await;
                return Err(TaskError::retry_in(Duration::ZERO, "once more"));
            }
            nothing()
        }
    });
    let bench = Bench::start(vec![definition("t", TaskOptions::default(), failing_first)]);
    let id = bench.send("t", "[]").await;
    support::until(async || runs.load(Ordering::SeqCst) == 1).await;
    // Another worker took the delivery over and registered; this one does not know it.
    bench.results.begin(vec![BeginRun { id: id.clone(), attempt: 0 }]).await.remove(0).unwrap();
    gate.add_permits(1);
    let record = bench.wait(&id).await;
    assert_eq!((record.state, record.attempt, record.run.0), (TaskState::Success, 0, 3));
    bench.end().await;
    assert_eq!(bench.results.history(&id).await.unwrap().len(), 1);
    assert_eq!(
        bench.broker.inspect().waiting(&TaskFilter::default(), None, 10).await.unwrap(),
        Page::last(Vec::new())
    );
    assert_eq!(runs.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_worker_whose_settler_breaks_ends_with_an_error_and_gives_its_tasks_back() {
    let bench = Bench::without_worker();
    let results = Refusing::results(&bench.results, |_| panic!("a bug in an adapter"));
    let task = definition("t", TaskOptions::default(), echo());
    let worker = builder(&bench, results).task(task).grace(Duration::ZERO).build().unwrap();
    bench.send("t", "[]").await;
    let exit = tokio::time::timeout(Duration::from_secs(30), worker.run()).await.expect("it ends");
    assert_eq!(exit.unwrap_err().code(), Code::Internal);
    let stats = bench.broker.inspect().queues().await.unwrap();
    assert_eq!((stats[0].ready, stats[0].held), (1, 0));
}
