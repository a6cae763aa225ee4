//! Tasks that run as they are sent.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use cardoon::prelude::*;
use cardoon::{Code, TaskState, testing};
use serde_json::Value;

#[cardoon::task]
async fn add(x: i64, y: i64) -> i64 {
    x + y
}

struct Tries(AtomicU32);

/// Succeeds on the attempt number `good`.
#[cardoon::task(retry_delay = "10s")]
async fn flaky(ctx: &TaskContext, tries: State<Tries>, good: u32) -> Result<u64, TaskError> {
    tries.0.0.fetch_add(1, Ordering::SeqCst);
    ctx.progress(u64::from(ctx.attempt()), Some(u64::from(good)), "trying");
    if ctx.attempt() < good {
        return Err(TaskError::new("Flaky", format!("attempt {} of {good}", ctx.attempt())));
    }
    Ok(ctx.run().0)
}

#[cardoon::task(retries = 0)]
fn panics() {
    panic!("out of cheese");
}

/// The app that a task sends with.
struct Sender(OnceLock<App>);

#[cardoon::task]
async fn parent(ctx: &TaskContext, sender: State<Arc<Sender>>) -> Result<(), TaskError> {
    let app = sender.0.0.get().ok_or_else(|| TaskError::fatal("NoApp", "the test gave none"))?;
    app.send(add::signature(1, 1).child_of(ctx)).await?;
    Ok(())
}

fn panic_text(assertion: impl FnOnce()) -> String {
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(assertion)).unwrap_err();
    *panic.downcast::<String>().unwrap()
}

fn tries() -> Tries {
    Tries(AtomicU32::new(0))
}

#[tokio::test]
async fn a_result_keeps_its_type_through_a_handle() {
    let app = App::inline();
    let handle = app.send(add::signature(2, 3)).await.unwrap();
    assert_eq!(handle.state().await.unwrap(), TaskState::Success);
    assert_eq!(handle.wait(Duration::from_secs(5)).await.unwrap(), 5);
    assert_eq!(app.handle::<i64>(handle.id().clone()).await.unwrap(), 5);
    let error = app.handle::<String>(handle.id().clone()).await.unwrap_err();
    assert_eq!(error.code(), Code::BadMessage, "another type is an error, not a panic");
}

#[tokio::test]
async fn failed_attempts_are_repeated_and_recorded_without_pauses() {
    let app = testing::inline().state(tries()).build();
    let handle = app.send(flaky::signature(2)).await.unwrap();
    let run = (&handle).await.unwrap();
    let history = handle.history().await.unwrap();
    let states: Vec<_> = history.iter().map(|record| record.state).collect();
    assert_eq!(states, [TaskState::Retry, TaskState::Retry, TaskState::Success]);
    assert_eq!(run, history[2].run.0, "the task sees the run number that its record has");
    let sent = &testing::sent(&app)[0];
    assert_eq!(sent.retry_delays, [Duration::from_secs(10), Duration::from_secs(20)]);
    assert_eq!(sent.progress.len(), 3);
    assert_eq!(sent.state(), TaskState::Success);
}

#[tokio::test]
async fn a_task_that_keeps_failing_fails_with_its_last_failure() {
    let app = testing::inline().state(tries()).build();
    let error = app.send(flaky::signature(99)).await.unwrap().await.unwrap_err();
    assert_eq!(error.code(), Code::TaskFailed);
    let failure = error.failure().unwrap();
    assert_eq!((failure.kind.as_str(), failure.message.as_str()), ("Flaky", "attempt 3 of 99"));
}

#[tokio::test]
async fn a_panic_is_a_failure() {
    let app = App::inline();
    let error = app.send(panics::signature()).await.unwrap().await.unwrap_err();
    let failure = error.failure().unwrap();
    assert_eq!((failure.kind.as_str(), failure.message.as_str()), (TaskError::PANIC, "out of cheese"));
}

#[tokio::test]
async fn a_missing_state_is_named_with_its_task() {
    let error = App::inline().send(flaky::signature(0)).await.unwrap_err();
    assert_eq!(error.code(), Code::StateMissing);
    assert!(error.message().contains("flaky") && error.message().contains("Tries"), "{error}");
}

#[tokio::test]
async fn a_name_that_nobody_added_is_refused() {
    let call = TypedSignature::<Value>::named("mail.send");
    let error = App::inline().send(call).await.unwrap_err();
    assert_eq!(error.code(), Code::NoSuchTask);
}

#[tokio::test]
async fn tasks_that_tasks_send_are_recorded_after_them_and_know_their_parent() {
    let sender = Arc::new(Sender(OnceLock::new()));
    let app = testing::inline().state(Arc::clone(&sender)).build();
    sender.0.set(app.clone()).unwrap();
    let handle = app.send(parent::signature()).await.unwrap();
    (&handle).await.unwrap();
    let [first, second] = &testing::sent(&app)[..] else { panic!("two were sent") };
    assert_eq!((first.task(), second.task()), ("parent", "add"));
    assert_eq!(second.signature.options.parent_id.as_ref(), Some(handle.id()));
}

#[tokio::test]
async fn recording_alone_executes_nothing() {
    let app = testing::inline().record_only().build();
    let handle = app.send(add::signature(2, 3)).await.unwrap();
    testing::assert_sent(&app, add::signature(2, 3));
    assert_eq!(handle.state().await.unwrap(), TaskState::Pending);
    let error = handle.wait(Duration::from_millis(1)).await.unwrap_err();
    assert_eq!(error.code(), Code::WaitTimedOut);
}

#[tokio::test]
async fn sending_an_id_again_adds_nothing() {
    let app = App::inline();
    for _ in 0..2 {
        let handle = app.send(add::signature(2, 3).id("sum")).await.unwrap();
        assert_eq!(handle.await.unwrap(), 5);
    }
    testing::assert_sent_times(&app, add::signature(2, 3), 1);
}

#[tokio::test]
async fn an_assertion_says_what_was_sent_instead() {
    let app = App::inline();
    app.send(add::signature(2, 3).queue("sums").priority(7)).await.unwrap();
    testing::assert_sent(&app, add::signature(2, 3).queue("sums"));
    testing::assert_not_sent(&app, add::signature(2, 3).queue("other"));
    let panic = panic_text(|| testing::assert_sent(&app, add::signature(2, 4)));
    assert_eq!(
        panic,
        "this call was not sent: add(2, 4)\nsent:\n  1. add(2, 3) queue=sums priority=7 SUCCESS"
    );
}
