//! The tutorial's accident: a hundred scheduled tasks, and the connection to Redis is gone for half a minute.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use cardoon_broker::Publish;
use cardoon_core::{Message, QueueName, TaskId};
use cardoon_drills::FaultProxy;
use cardoon_testkit::RedisOptions;

use crate::lab::{PATIENCE, message};
use crate::{Lab, Outcome, Plant, tasks};

const SCHEDULED: usize = 100;
/// One in so many fails whenever it is tried.
const FAILS: usize = 10;
const SHORT: Duration = Duration::from_millis(20);

pub async fn run(program: &Path, cut: Duration, plant: Option<Plant>) -> anyhow::Result<Outcome> {
    let lab = Lab::on_redis(program, RedisOptions::default()).await?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, lab.redis()?.port()));
    let line = FaultProxy::start(address, lab.clock.clone()).await?;
    let url = format!("redis://{}/0", line.address());
    let mut workers = Vec::new();
    for name in ["worker-1", "worker-2"] {
        workers.push(lab.start(&lab.spec(name).plant(plant).url(&url)).await?);
    }
    let (succeeding, failing) = schedule(&lab, cut).await?;
    lab.until("the first tasks run", |testimony| testimony.ends().count() >= 3).await?;
    line.refuse().await;
    line.cut();
    lab.clock.sleep(cut).await;
    line.resume().await;
    let all = [succeeding.clone(), failing.clone()].concat();
    let lost = lab.until_ended(&all).await?;
    if lost.is_empty() {
        lab.until_dead(failing.len()).await?;
    }
    let dead: Vec<_> = lab.dead().await?.into_iter().map(|dead| dead.message.id).collect();
    let executions = lab.testimony()?.count(&succeeding);
    let mut outcome = Outcome::new("scheduled tasks, Redis cut off");
    outcome.figure("scheduled", all.len());
    outcome.figure("cut off for s", cut.as_secs_f64());
    outcome.expect("lost", lost.len(), 0);
    if lost.is_empty() {
        outcome.expect("without success", lab.until_recorded(&succeeding).await?, 0);
    }
    outcome.expect("second runs", executions.second_runs, 0);
    outcome.expect("failures not listed", failing.iter().filter(|id| !dead.contains(id)).count(), 0);
    for worker in &mut workers {
        outcome.require(worker.ended().is_none(), format!("a worker ended: {}", worker.stderr()));
        worker.stop(PATIENCE).await?;
    }
    Ok(outcome)
}

/// Due from at once until after the cut. Returns those that succeed, and those that fail.
async fn schedule(lab: &Lab, cut: Duration) -> anyhow::Result<(Vec<TaskId>, Vec<TaskId>)> {
    let (mut succeeding, mut failing) = (Vec::new(), Vec::new());
    let mut batch = Vec::new();
    let now = lab.clock.now();
    for number in 0..SCHEDULED {
        let fails = number % FAILS == FAILS - 1;
        let message: Message = message(if fails { tasks::BROKEN } else { tasks::WORK }, SHORT)?;
        if fails { &mut failing } else { &mut succeeding }.push(message.id.clone());
        let due = now.plus((cut + Duration::from_secs(6)).mul_f64(number as f64 / SCHEDULED as f64));
        batch.push(Publish { queue: QueueName::default(), message, not_before: Some(due), resent: false });
    }
    lab.stores.broker.publish(batch).await.into_iter().try_for_each(|published| published.map(drop))?;
    Ok((succeeding, failing))
}
