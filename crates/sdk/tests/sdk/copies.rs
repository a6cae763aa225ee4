//! A message that lies in a queue several times, as after a publish that was repeated because its answer was lost.

use std::time::Duration;

use cardoon::prelude::*;
use cardoon::{WorkerExit, builtin};
use cardoon_broker::Publish;
use cardoon_runtime::Clock;
use cardoon_testkit::RedisServer;

use crate::support::ScriptedBroker;

const SOON: Duration = Duration::from_secs(30);

/// Six copies, each of which takes a while, for a worker that executes two at once. Another task makes them begin at
/// different times, so that each begins while another one runs.
async fn run_copies(app: App) {
    let scripted = ScriptedBroker::new();
    scripted.app(&Clock::real()).send(builtin::sleep::signature(0.2)).await.unwrap();
    let [publish] = &scripted.messages()[..] else { panic!("one was sent") };
    let copies = vec![Publish { resent: true, ..publish.clone() }; 6];
    app.send(builtin::sleep::signature(0.1)).await.unwrap();
    for stored in app.stores().broker.publish(copies).await {
        stored.unwrap();
    }
    let worker = Worker::builder(&app).builtins().concurrency(2);
    let mut ended = None;
    let exit = worker.run_until(async {
        ended = Some(app.handle::<()>(publish.message.id.clone()).wait(SOON).await);
    });
    assert_eq!(exit.await.unwrap(), WorkerExit::Drained);
    ended.unwrap().expect("one of the runs counts");
    app.close(SOON).await.unwrap();
}

#[tokio::test]
async fn copies_do_not_make_each_others_runs_stale_for_ever() {
    let server = RedisServer::start().await.unwrap();
    run_copies(App::connect(&server.url()).await.unwrap()).await;
}

#[tokio::test]
async fn nor_do_they_where_results_are_kept_elsewhere() {
    let server = RedisServer::start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let results = format!("sqlite:{}", folder.path().join("results.db").display());
    run_copies(App::builder().broker(server.url()).results(results).open().await.unwrap()).await;
}
