//! Programs and workers on one store, joined and not.

use std::time::Duration;

use cardoon::prelude::*;
use cardoon::{Code, TaskState, WorkerExit, builtin};

const SOON: Duration = Duration::from_secs(30);

#[cardoon::task(retry_delay = "1ms")]
async fn third_time_lucky(ctx: &TaskContext) -> Result<u32, TaskError> {
    if ctx.attempt() < 2 { Err(TaskError::new("Unlucky", "not yet")) } else { Ok(ctx.attempt()) }
}

struct Shop {
    name: String,
}

#[cardoon::task]
fn shop_name(shop: State<Shop>) -> String {
    shop.name.clone()
}

macro_rules! on_every_store {
    ($($test:ident)*) => {
        mod memory {
            use super::App;

            $(#[tokio::test] async fn $test() {
                super::$test(App::connect("memory:").await.unwrap()).await;
            })*
        }

        mod sqlite {
            use super::App;

            $(#[tokio::test] async fn $test() {
                let folder = tempfile::tempdir().unwrap();
                let url = format!("sqlite:{}", folder.path().join("tasks.db").display());
                super::$test(App::connect(&url).await.unwrap()).await;
            })*
        }
    };
}

on_every_store! {
    results_failures_and_retries_come_back_through_handles
    a_task_that_nobody_takes_is_pending_and_can_be_revoked
    a_sleeping_task_ends_early_when_it_is_revoked
    a_thousand_come_back_from_one_send
    a_worker_that_lacks_a_state_does_not_start
}

fn worker(app: &App) -> cardoon::WorkerBuilder {
    let shop = Shop { name: "thistle".into() };
    Worker::builder(app).builtins().task::<third_time_lucky>().task::<shop_name>().state(shop).concurrency(4)
}

/// Runs a worker beside `test`, and drains it when the test is over.
async fn beside<T>(worker: cardoon::WorkerBuilder, test: impl Future<Output = T>) -> T {
    let mut answer = None;
    let exit = worker.run_until(async { answer = Some(Box::pin(test).await) }).await.unwrap();
    assert_eq!(exit, WorkerExit::Drained);
    answer.expect("the worker runs until the test is over")
}

async fn results_failures_and_retries_come_back_through_handles(app: App) {
    let test = Box::pin(async {
        let sum = app.send(builtin::add::signature(2, 3)).await.unwrap();
        let lucky = app.send(third_time_lucky::signature()).await.unwrap();
        let shop = app.send(shop_name::signature()).await.unwrap();
        let failing = app.send(builtin::add::signature(i64::MAX, 1)).await.unwrap();

        assert_eq!(sum.wait(SOON).await.unwrap(), 5);
        assert_eq!(shop.wait(SOON).await.unwrap(), "thistle");
        assert_eq!(lucky.wait(SOON).await.unwrap(), 2);
        assert_eq!(lucky.history().await.unwrap().len(), 3);
        let error = failing.wait(SOON).await.unwrap_err();
        assert_eq!((error.code(), error.failure().unwrap().kind.as_str()), (Code::TaskFailed, "Overflow"));
    });
    beside(worker(&app), test).await;
    app.close(SOON).await.unwrap();
}

async fn a_task_that_nobody_takes_is_pending_and_can_be_revoked(app: App) {
    let handle = app.send(builtin::noop::signature().countdown(Duration::from_hours(1))).await.unwrap();
    assert_eq!(handle.state().await.unwrap(), TaskState::Pending);
    assert_eq!(handle.wait(Duration::from_millis(10)).await.unwrap_err().code(), Code::WaitTimedOut);
    assert_eq!(handle.revoke().await.unwrap(), cardoon::Revoked::Waiting);
    beside(worker(&app), async {
        assert_eq!(handle.wait(SOON).await.unwrap_err().code(), Code::TaskRevoked);
    })
    .await;
    let stranger = app.handle::<()>("nobody".parse().unwrap());
    assert_eq!(stranger.state().await.unwrap_err().code(), Code::UnknownId);
    app.close(SOON).await.unwrap();
}

async fn a_sleeping_task_ends_early_when_it_is_revoked(app: App) {
    beside(worker(&app), async {
        let handle = app.send(builtin::sleep::signature(3600.0)).await.unwrap();
        let deadline = tokio::time::timeout(SOON, async {
            while handle.state().await.unwrap() != TaskState::Started {
                tokio::task::yield_now().await;
            }
        });
        deadline.await.expect("it starts");
        handle.revoke().await.unwrap();
        assert_eq!(handle.wait(SOON).await.unwrap_err().code(), Code::TaskRevoked);
    })
    .await;
    app.close(SOON).await.unwrap();
}

async fn a_thousand_come_back_from_one_send(app: App) {
    let handles = app.send_many((0..1000).map(|x| builtin::add::signature(x, 1))).await.unwrap();
    beside(worker(&app), async {
        for (x, handle) in (0..).zip(&handles) {
            assert_eq!(handle.wait(SOON).await.unwrap(), x + 1);
        }
    })
    .await;
    app.close(SOON).await.unwrap();
}

async fn a_worker_that_lacks_a_state_does_not_start(app: App) {
    let error = Worker::builder(&app).task::<shop_name>().build().err().expect("a state is missing");
    assert_eq!(error.code(), Code::StateMissing);
    assert!(error.message().contains("shop_name") && error.message().contains("Shop"), "{error}");
    let error = Worker::builder(&app).task::<shop_name>().queues([""]).build().err().expect("no queue name");
    assert_eq!(error.code(), Code::BadName);
    app.close(SOON).await.unwrap();
}
