//! Who is blamed, and who is taken for dead.

use std::sync::Arc;
use std::time::Duration;

use cardoon_broker::{Broker, Consumer, Place, Settled, SweepReport};
use cardoon_core::rescue::POISON_DEATHS;
use cardoon_core::{DeadReason, TaskState};
use cardoon_results::{BeginRun, Begun, ResultBackend};
use cardoon_runtime::Clock;
use cardoon_testkit::{RedisServer, eventually};

use crate::common::{LIMIT, id, join, open, send, settle, soon, success, take};

async fn found(rescuer: &dyn Consumer) -> SweepReport {
    soon(async {
        loop {
            let report = rescuer.sweep().await.unwrap();
            if !report.lost_workers.is_empty() {
                return report;
            }
            Clock::real().sleep(Duration::from_millis(100)).await;
        }
    })
    .await
}

/// Waits until others can see that the task is executing.
async fn on_record(server: &RedisServer, task: &str) {
    let other = open(server).await;
    eventually("the run is on record", LIMIT, async || {
        let place = other.inspect().locate(&id(task)).await.unwrap().map(|(_, place)| place);
        matches!(place, Some(Place::Held { started: true, .. }))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_lasts_is_blamed_for_three_deaths_and_buried() {
    let server = RedisServer::start().await.unwrap();
    let store = open(&server).await;
    let rescuer = join(&store, "rescuer").await;
    send(&store, &["poison"]).await;
    for deaths in 0..POISON_DEATHS {
        let victim = join(&store, "victim").await;
        let delivery = take(victim.as_ref()).await;
        assert_eq!(delivery.deaths, deaths);
        victim.mark_started(delivery.lease);
        on_record(&server, "poison").await;
        drop(victim);
        found(rescuer.as_ref()).await;
    }
    let record = store.get(&[id("poison")]).await.unwrap().pop().unwrap().unwrap();
    assert_eq!(record.state, TaskState::Failure);
    let letter = store.dead_letters().show(&id("poison")).await.unwrap().unwrap();
    assert_eq!((letter.reason, letter.deaths), (DeadReason::Poison, POISON_DEATHS));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_registered_is_blamed_however_short_it_was() {
    let server = RedisServer::start().await.unwrap();
    let store = open(&server).await;
    let rescuer = join(&store, "rescuer").await;
    send(&store, &["a"]).await;
    let first = join(&store, "victim").await;
    take(first.as_ref()).await;
    drop(first);
    found(rescuer.as_ref()).await;
    let second = join(&store, "victim").await;
    let delivery = take(second.as_ref()).await;
    assert!(delivery.must_register() && delivery.deaths == 0, "the first death was nobody's fault");
    let begun = store.begin(vec![BeginRun { id: id("a"), attempt: 0 }]).await.pop().unwrap().unwrap();
    assert!(matches!(begun, Begun::Run(_)));
    drop(second);
    found(rescuer.as_ref()).await;
    assert_eq!(take(rescuer.as_ref()).await.deaths, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_whose_connections_are_cut_for_a_moment_is_not_robbed() {
    let server = RedisServer::start().await.unwrap();
    let (store, other) = (open(&server).await, open(&server).await);
    let (holder, rescuer) = (join(&store, "holder").await, join(&other, "rescuer").await);
    send(&store, &["a"]).await;
    let delivery = take(holder.as_ref()).await;
    for _ in 0..3 {
        assert_eq!(rescuer.sweep().await.unwrap(), SweepReport::default());
        server.command(&["CLIENT", "KILL", "TYPE", "normal"]).await.unwrap();
        server.command(&["CLIENT", "KILL", "TYPE", "pubsub"]).await.unwrap();
        for _ in 0..6 {
            Clock::real().sleep(Duration::from_millis(200)).await;
            // The rescuer's connections were cut too, so a sweep may fail.
            if let Ok(report) = rescuer.sweep().await {
                assert_eq!(report, SweepReport::default());
            }
        }
    }
    assert_eq!(settle(holder.as_ref(), success(&delivery, 1)).await, Settled::Done);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_robbed_when_the_server_stood_still() {
    let server = RedisServer::start().await.unwrap();
    let (store, other) = (open(&server).await, open(&server).await);
    let (holder, rescuer) = (join(&store, "holder").await, join(&other, "rescuer").await);
    send(&store, &["a"]).await;
    let delivery = take(holder.as_ref()).await;
    server.pause().unwrap();
    Clock::real().sleep(Duration::from_secs(6)).await;
    server.resume().unwrap();
    for _ in 0..20 {
        Clock::real().sleep(Duration::from_millis(150)).await;
        if let Ok(report) = rescuer.sweep().await {
            assert_eq!(report, SweepReport::default());
        }
    }
    assert_eq!(settle(holder.as_ref(), success(&delivery, 1)).await, Settled::Done);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_worker_is_found_by_each_of_its_rescuers_once() {
    let server = RedisServer::start().await.unwrap();
    let store = open(&server).await;
    let rescuers: Vec<Arc<dyn Consumer>> = vec![join(&store, "r1").await, join(&store, "r2").await];
    let names: Vec<String> = (0..300).map(|n| format!("task-{n}")).collect();
    send(&store, &names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let victim = join(&store, "victim").await;
    let mut held = 0;
    while held < 300 {
        held += soon(victim.claim(300 - held)).await.unwrap().len();
    }
    drop(victim);
    let mut reports = Vec::new();
    eventually("the victim is found", LIMIT, async || {
        for rescuer in &rescuers {
            reports.push(rescuer.sweep().await.unwrap());
        }
        reports.iter().any(|report| !report.lost_workers.is_empty())
    })
    .await;
    let lost: usize = reports.iter().map(|report| report.lost_workers.len()).sum();
    let requeued: usize = reports.iter().map(|report| report.requeued.len()).sum();
    assert_eq!((lost, requeued), (1, 300));
    assert_eq!(take(rescuers[0].as_ref()).await.message.id, id("task-0"), "in their old order");
}
