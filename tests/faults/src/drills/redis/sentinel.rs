//! The primary is killed, a real sentinel makes its replica the primary: workers and sender follow.

use std::path::Path;
use std::time::Duration;

use cardoon_core::{BootInstant, TaskId};
use cardoon_drills::WorkerProcess;
use cardoon_testkit::{RedisOptions, Sentinel};

use super::load::Load;
use super::trial::{self, LONG, SLOTS};
use crate::{Lab, Outcome, tasks};

/// They run over the whole failover.
const RUN: Duration = Duration::from_secs(10);
/// What is acknowledged so long before the death has reached the replica, which the server does not wait for.
const REPLICATED: Duration = Duration::from_secs(1);

/// `plant`: the workers know the primary alone, and not the sentinel. The drill has to notice it.
pub async fn run(program: &Path, plant: bool) -> anyhow::Result<Outcome> {
    let mut lab = Lab::on_redis(program, RedisOptions::default()).await?;
    lab.add_replica().await?;
    let sentinel = Sentinel::watch(lab.redis()?, 1).await?;
    lab.reconnect_to(&sentinel.url()).await?;
    let mut workers = Vec::new();
    let url = if plant { lab.redis()?.url() } else { sentinel.url() };
    for name in ["worker-1", "worker-2"] {
        workers.push(lab.start(&lab.spec(name).slots(SLOTS).url(&url)).await?);
    }
    let mut load = Load::new(lab.stores.broker.clone(), lab.clock.clone());
    let mut certain = lab.send(tasks::WORK, LONG, RUN).await?;
    lab.until("the long tasks run", |testimony| testimony.starts().count() >= LONG).await?;
    load.until(lab.clock.sleep(REPLICATED * 2)).await?;
    let killed = lab.clock.boot();
    let port = lab.replica()?.port();
    lab.redis_mut()?.kill()?;
    load.until(sentinel.follows(port)).await??;
    let over = lab.clock.boot();
    certain.extend(trial::probe(&lab).await?);
    let safe = load.acknowledged.iter().filter(|(_, at)| is_safe(*at, killed, over));
    certain.extend(safe.map(|(id, _)| id.clone()));
    judge(&lab, &certain, &mut workers, over, killed).await
}

/// What the dead server acknowledged last may not have reached its replica.
fn is_safe(acknowledged: BootInstant, killed: BootInstant, over: BootInstant) -> bool {
    acknowledged >= over || killed.since(acknowledged) > REPLICATED
}

async fn judge(
    lab: &Lab,
    ids: &[TaskId],
    workers: &mut [WorkerProcess],
    over: BootInstant,
    killed: BootInstant,
) -> anyhow::Result<Outcome> {
    let lost = lab.until_ended(ids).await?;
    let mut outcome = Outcome::new("a sentinel's failover");
    outcome.figure("tasks acknowledged", ids.len());
    outcome.figure("failover took s", over.since(killed).as_secs_f64());
    outcome.expect("lost", lost.len(), 0);
    outcome.expect("second runs", lab.testimony()?.count(ids).second_runs, 0);
    if lost.is_empty() {
        outcome.expect("without a result", lab.until_recorded(ids).await?, 0);
    }
    trial::judge_recovery(lab, workers, over, &mut outcome)?;
    for worker in workers {
        outcome.require(worker.ended().is_none(), format!("a worker ended: {}", worker.stderr()));
    }
    Ok(outcome)
}
