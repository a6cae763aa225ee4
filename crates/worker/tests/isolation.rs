//! Tasks in child processes. The children are this program again, so it has a `main` of its own: in a child the
//! worker's `run` serves the parent.
#![expect(clippy::unwrap_used, reason = "a test says by a panic what went wrong")]

mod support;

use std::time::Duration;

use bytes::Bytes;
use cardoon_broker::Broker;
use cardoon_core::{DeadReason, EventKind, ResultRecord, RetryPolicy, TaskState};
use cardoon_results::ResultBackend;
use cardoon_worker::{Handler, Isolation, TaskDefinition, TaskError, TaskOptions, TaskResult};
use support::{Bench, definition, nothing};

fn main() {
    if !cfg!(unix) {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(async {
        if cardoon_worker::is_child() {
            hang_if_asked(&flag(std::os::unix::process::parent_id()));
            let served = Bench::without_worker().builder(tasks()).build().unwrap().run().await;
            served.unwrap();
            return;
        }
        #[cfg(unix)]
        a_child_that_outlives_its_parent_ends_instead_of_working().await;
        a_task_runs_in_another_process_which_is_used_again().await;
        failures_and_panics_come_back().await;
        progress_comes_through().await;
        a_blocking_task_that_overstays_its_limit_is_killed().await;
        a_revoked_task_is_killed().await;
        a_task_that_kills_its_process_three_times_is_buried_and_the_worker_goes_on().await;
        a_process_that_is_never_ready_is_killed_and_costs_no_attempt_until_the_third_time().await;
        a_process_that_is_ready_the_second_time_executes_its_task_as_if_nothing_had_been().await;
        an_idle_process_that_hangs_is_replaced_and_nobody_is_blamed().await;
        progress_is_never_that_of_another_run().await;
        a_cancellation_right_at_the_start_is_heard().await;
    });
}

fn tasks() -> Vec<TaskDefinition> {
    let isolated =
        TaskOptions { isolate: Isolation::Process, retry: RetryPolicy::never(), ..TaskOptions::default() };
    let limited = TaskOptions { time_limit: Some(Duration::from_millis(300)), ..isolated.clone() };
    vec![
        definition("pid", isolated.clone(), Handler::asynchronous(|_, _| async { pid() })),
        definition("fail", isolated.clone(), Handler::blocking(|_, _| Err(TaskError::new("E", "it broke")))),
        definition("panic", isolated.clone(), Handler::asynchronous(|_, _| async { panic!("oh no") })),
        definition(
            "progress",
            isolated.clone(),
            Handler::asynchronous(|context, _| async move {
                context.progress(1, Some(2), "half");
                context.cancelled().await;
                nothing()
            }),
        ),
        definition(
            "last-words",
            isolated.clone(),
            Handler::asynchronous(|context, _| async move {
                context.progress(1, None, context.id().as_str());
                nothing()
            }),
        ),
        definition(
            "told",
            TaskOptions { soft_time_limit: Some(Duration::from_millis(1)), ..isolated.clone() },
            Handler::asynchronous(|context, _| async move {
                context.cancelled().await;
                nothing()
            }),
        ),
        definition("hang", limited, Handler::blocking(|_, _| hang())),
        definition("stuck", isolated.clone(), Handler::blocking(|_, _| hang())),
        definition("abort", isolated, Handler::blocking(|_, _| std::process::abort())),
    ]
}

#[expect(clippy::unnecessary_wraps, reason = "it is what a task returns")]
fn pid() -> TaskResult {
    Ok(Bytes::from(std::process::id().to_string()))
}

fn hang() -> TaskResult {
    loop {
        std::thread::park();
    }
}

/// The folder by which this program tells its children not to be ready.
fn flag(parent: u32) -> std::path::PathBuf {
    std::env::temp_dir().join(format!("cardoon-children-hang-{parent}"))
}

/// A child that is asked to hang leaves a file with its process id, and does.
fn hang_if_asked(flag: &std::path::Path) {
    if flag.exists() {
        std::fs::write(flag.join(std::process::id().to_string()), "").unwrap();
        let _ = hang();
    }
}

fn hung(flag: &std::path::Path) -> Vec<String> {
    let entries = std::fs::read_dir(flag).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// Tests with little time for children to be ready, and with more where a busy machine keeps them from their part of it.
/// `test` answers whether they came to that.
async fn in_little_time(test: impl AsyncFn(Duration) -> bool) {
    for millis in [500, 2000, 8000] {
        if test(Duration::from_millis(millis)).await {
            return;
        }
    }
    panic!("children do not come to their part of the test");
}

/// A worker whose children have so much time.
fn impatient(bench: &Bench, child_start: Duration) -> support::Running {
    bench.run(bench.builder(tasks()).child_start(child_start))
}

async fn a_process_that_is_never_ready_is_killed_and_costs_no_attempt_until_the_third_time() {
    in_little_time(is_killed_three_times).await;
}

/// Answers whether each of the three has lived for long enough to leave its file.
async fn is_killed_three_times(child_start: Duration) -> bool {
    let flag = flag(std::process::id());
    std::fs::create_dir(&flag).unwrap();
    let bench = Bench::without_worker();
    let worker = impatient(&bench, child_start);
    let id = bench.send("pid", "[]").await;
    let record = bench.wait(&id).await;
    assert_eq!((record.state, record.attempt), (TaskState::Failure, 0));
    let failure = record.failure.unwrap();
    assert_eq!(failure.kind, TaskError::NOT_STARTED);
    let limit = format!("not ready within {} s", child_start.as_secs_f64());
    assert!(failure.message.contains(&limit), "{failure}");
    let pids = hung(&flag);
    assert!(pids.len() <= 3, "{pids:?}");
    if cfg!(target_os = "linux") {
        let alive = |pid: &String| std::path::Path::new("/proc").join(pid).exists();
        support::until(async || !pids.iter().any(alive)).await;
    }
    worker.stop().await;
    std::fs::remove_dir_all(flag).unwrap();
    pids.len() == 3
}

async fn a_process_that_is_ready_the_second_time_executes_its_task_as_if_nothing_had_been() {
    in_little_time(is_ready_the_second_time).await;
}

async fn is_ready_the_second_time(child_start: Duration) -> bool {
    let flag = flag(std::process::id());
    std::fs::create_dir(&flag).unwrap();
    let bench = Bench::without_worker();
    let worker = impatient(&bench, child_start);
    let id = bench.send("pid", "[]").await;
    let ended =
        async || bench.results.get(std::slice::from_ref(&id)).await.unwrap().pop().flatten().is_some();
    support::until(async || !hung(&flag).is_empty() || ended().await).await;
    std::fs::remove_dir_all(flag).unwrap();
    let record = bench.wait(&id).await;
    worker.stop().await;
    if is_unstarted(&record) {
        return false;
    }
    assert_eq!((record.state, record.attempt, record.run.0), (TaskState::Success, 0, 1));
    true
}

/// Whether no process was ready for it in time.
fn is_unstarted(record: &ResultRecord) -> bool {
    record.failure.as_ref().is_some_and(|failure| failure.kind == TaskError::NOT_STARTED)
}

async fn an_idle_process_that_hangs_is_replaced_and_nobody_is_blamed() {
    in_little_time(is_replaced_when_it_hangs).await;
}

async fn is_replaced_when_it_hangs(child_start: Duration) -> bool {
    let bench = Bench::without_worker();
    let worker = impatient(&bench, child_start);
    let id = bench.send("pid", "[]").await;
    let record = bench.wait(&id).await;
    if is_unstarted(&record) {
        worker.stop().await;
        return false;
    }
    let first = record.value.unwrap();
    let pid = String::from_utf8_lossy(&first).into_owned();
    assert!(std::process::Command::new("kill").args(["-s", "STOP", &pid]).status().unwrap().success());
    let id = bench.send("pid", "[]").await;
    let record = bench.wait(&id).await;
    worker.stop().await;
    if is_unstarted(&record) {
        return false;
    }
    assert_eq!((record.state, record.attempt, record.run.0), (TaskState::Success, 0, 1));
    assert_ne!(record.value.unwrap(), first);
    true
}

async fn progress_is_never_that_of_another_run() {
    let bench = Bench::start(tasks());
    let mut events = bench.broker.listen().await.unwrap();
    // Words are kept back for 100 ms, longer than such a run takes: they come while another one runs.
    for _ in 0..500 {
        let id = bench.send("last-words", "[]").await;
        bench.wait(&id).await;
    }
    let last = bench.send("progress", "[]").await;
    let mut told = Vec::new();
    while told.last().is_none_or(|(id, _)| *id != last) {
        let events = events.next().await.unwrap();
        let progress = events.into_iter().filter(|event| event.kind == EventKind::TaskProgress);
        told.extend(progress.filter_map(|event| Some((event.id?, event.detail?))));
    }
    for (id, detail) in told {
        assert_eq!(detail, if id == last { "1/2 half".to_owned() } else { format!("1 {id}") });
    }
    bench.handle.stop();
    bench.end().await;
}

async fn a_cancellation_right_at_the_start_is_heard() {
    let bench = Bench::start(tasks());
    for _ in 0..50 {
        let id = bench.send("told", "[]").await;
        assert_eq!(bench.wait(&id).await.state, TaskState::Success);
    }
    bench.end().await;
}

/// The parent died between starting the child and being asked for: the socket is closed at its end.
#[cfg(unix)]
async fn a_child_that_outlives_its_parent_ends_instead_of_working() {
    let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    let socket = rustix::fs::fstat(&theirs).unwrap();
    let mut child = tokio::process::Command::new(std::env::current_exe().unwrap())
        .env("CARDOON_CHILD", format!("{}-{}", socket.st_dev, socket.st_ino))
        .stdin(std::os::fd::OwnedFd::from(theirs))
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    drop(ours);
    let ended = tokio::time::timeout(Duration::from_secs(20), child.wait()).await;
    assert!(ended.expect("it goes on without its parent").unwrap().success());
}

async fn a_task_runs_in_another_process_which_is_used_again() {
    let bench = Bench::start(tasks());
    let mut pids = Vec::new();
    for _ in 0..3 {
        let id = bench.send("pid", "[]").await;
        pids.push(bench.wait(&id).await.value.unwrap());
    }
    assert_ne!(pids[0], std::process::id().to_string().as_bytes());
    assert!(pids.iter().all(|pid| *pid == pids[0]), "{pids:?}");
    bench.end().await;
    let process = format!("/proc/{}", String::from_utf8_lossy(&pids[0]));
    support::until(async || !cfg!(target_os = "linux") || !std::path::Path::new(&process).exists()).await;
}

async fn failures_and_panics_come_back() {
    let bench = Bench::start(tasks());
    for (task, kind, message) in [("fail", "E", "it broke"), ("panic", TaskError::PANIC, "oh no")] {
        let id = bench.send(task, "[]").await;
        let failure = bench.wait(&id).await.failure.unwrap();
        assert_eq!((failure.kind.as_str(), failure.message.as_str()), (kind, message));
    }
    bench.end().await;
}

async fn progress_comes_through() {
    let bench = Bench::start(tasks());
    let id = bench.send("progress", "[]").await;
    support::until(async || bench.results.progress(&id).await.unwrap().is_some()).await;
    let reported = bench.results.progress(&id).await.unwrap().unwrap();
    assert_eq!((reported.progress.done, reported.progress.message.as_str()), (1, "half"));
    bench.handle.stop();
    bench.end().await;
}

async fn a_blocking_task_that_overstays_its_limit_is_killed() {
    let bench = Bench::start(tasks());
    for _ in 0..3 {
        let id = bench.send("hang", "[]").await;
        assert_eq!(bench.wait(&id).await.failure.unwrap().kind, TaskError::TIME_LIMIT);
    }
    assert_eq!(bench.end().await, cardoon_worker::WorkerExit::Drained, "no slot was lost");
}

async fn a_revoked_task_is_killed() {
    let bench = Bench::start(tasks());
    let id = bench.send("stuck", "[]").await;
    support::until(async || bench.held().await == 1).await;
    bench.broker.revoke(vec![id.clone()]).await.remove(0).unwrap();
    assert_eq!(bench.wait(&id).await.state, TaskState::Revoked);
    bench.end().await;
}

async fn a_task_that_kills_its_process_three_times_is_buried_and_the_worker_goes_on() {
    let bench = Bench::start(tasks());
    let id = bench.send("abort", "[]").await;
    let record = bench.wait(&id).await;
    assert_eq!((record.state, record.attempt), (TaskState::Failure, 0));
    let dead = bench.dead(&id).await;
    assert_eq!(dead.reason, DeadReason::Poison);
    let id = bench.send("pid", "[]").await;
    assert_eq!(bench.wait(&id).await.state, TaskState::Success);
    bench.end().await;
}
