//! The steps that cases are made of.

use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use cardoon_core::{QueueName, ResultRecord, RunNumber, TaskFailure, TaskId, TaskState, Timestamp};

use crate::{BeginRun, Begun, ResultBackend, Stored};

/// No wait of a case is longer.
const DEADLINE: Duration = Duration::from_secs(20);

/// What `future` answers, if it does in time.
pub(super) async fn soon<F: Future>(what: &str, future: F) -> F::Output {
    let output = tokio::time::timeout(DEADLINE, future).await;
    output.unwrap_or_else(|_| panic!("{what}: not within {DEADLINE:?}"))
}

pub(super) fn id(text: &str) -> TaskId {
    TaskId::new(text).expect("the cases' ids are good")
}

pub(super) fn record(name: &str, run: u64, attempt: u32, state: TaskState) -> ResultRecord {
    ResultRecord {
        id: id(name),
        task: "mail.send".into(),
        queue: QueueName::default(),
        state,
        run: RunNumber(run),
        attempt,
        value: (state == TaskState::Success).then(|| Bytes::from(format!("{run}"))),
        failure: (state == TaskState::Failure || state == TaskState::Retry)
            .then(|| TaskFailure::new("ValueError", format!("run {run} failed"))),
        worker: "one".into(),
        started_at: Some(Timestamp(1_800_000_000_000)),
        finished_at: Timestamp(1_800_000_000_000 + run as i64),
    }
}

pub(super) fn success(name: &str, run: u64) -> ResultRecord {
    record(name, run, 0, TaskState::Success)
}

pub(super) async fn store(results: &dyn ResultBackend, record: ResultRecord) -> Stored {
    let answers = soon("store", results.store(vec![record])).await;
    answers.into_iter().next().expect("one answer for one item").expect("the store is answered")
}

pub(super) async fn begin(results: &dyn ResultBackend, name: &str, attempt: u32) -> Begun {
    let answers = soon("begin", results.begin(vec![BeginRun { id: id(name), attempt }])).await;
    answers.into_iter().next().expect("one answer for one item").expect("the begin is answered")
}

/// The number of a run that may begin.
pub(super) async fn run(results: &dyn ResultBackend, name: &str, attempt: u32) -> u64 {
    match begin(results, name, attempt).await {
        Begun::Run(run) => run.0,
        other => panic!("the run may not begin: {other:?}"),
    }
}

pub(super) async fn get(results: &dyn ResultBackend, name: &str) -> Option<ResultRecord> {
    let found = soon("get", results.get(&[id(name)])).await.expect("the store is read");
    found.into_iter().next().expect("one answer for one id")
}
