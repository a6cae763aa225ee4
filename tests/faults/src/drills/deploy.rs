//! A rolling deploy: a task that only new workers know waits for one of them, whoever takes it first.

use std::time::Duration;

use cardoon_broker::DeadFilter;
use cardoon_core::{DeadReason, TaskState};

use crate::lab::PATIENCE;
use crate::{Lab, Outcome, Stage, tasks};

/// Old workers with many slots and a new one with a single slot: most deliveries reach an old one first.
pub async fn run(stage: Stage<'_>) -> anyhow::Result<Outcome> {
    let lab = Lab::open(stage).await?;
    let _old =
        [lab.start(&lab.spec("old-1").slots(16)).await?, lab.start(&lab.spec("old-2").slots(16)).await?];
    // The old workers have just looked who knows what, and must not believe it when the new one has come.
    lab.send("drill.nobody_knows_me", 4, Duration::ZERO).await?;
    let buried = lab.until_dead(4).await?.len();
    let new = lab.start(&lab.spec("new-1").slots(1).knows_new()).await?;
    let mut ids = lab.send(tasks::NEW, 20, Duration::from_millis(30)).await?;
    ids.extend(lab.send(tasks::WORK, 40, Duration::from_millis(30)).await?);
    // The new worker itself is replaced while its tasks wait.
    let mut replaced = new;
    let _next = lab.start(&lab.spec("new-2").slots(1).knows_new()).await?;
    replaced.stop(PATIENCE).await?;
    ids.extend(lab.send(tasks::NEW, 10, Duration::from_millis(30)).await?);
    let records = lab.ends(&ids, PATIENCE).await?;
    let mut outcome = Outcome::new("rolling deploy");
    outcome.figure("tasks", ids.len());
    outcome.expect("lost", lab.testimony()?.count(&ids).lost.len(), 0);
    outcome.expect("in the dead letters", lab.dead().await?.len() - buried, 0);
    let counted = records.iter().filter(|r| r.state != TaskState::Success || r.attempt > 0).count();
    outcome.expect("failed or counted as tried", counted, 0);
    Ok(outcome)
}

/// Without a worker that knows the task it is buried with that reason, and can be brought back.
pub async fn nobody_knows_it(stage: Stage<'_>) -> anyhow::Result<Outcome> {
    let lab = Lab::open(stage).await?;
    let _old = lab.start(&lab.spec("old")).await?;
    let ids = lab.send(tasks::NEW, 3, Duration::from_millis(10)).await?;
    lab.until_dead(ids.len()).await?;
    let reasons: Vec<_> = lab.dead().await?.into_iter().map(|letter| letter.reason).collect();
    let _new = lab.start(&lab.spec("new").knows_new()).await?;
    let redriven = lab.stores.broker.dead_letters().redrive(&DeadFilter::default()).await?;
    lab.ends(&ids, PATIENCE).await?;
    let mut outcome = Outcome::new("a task that nobody knows");
    outcome.expect("redriven", redriven, ids.len() as u64);
    outcome.expect("lost after the redrive", lab.testimony()?.count(&ids).lost.len(), 0);
    outcome.require(reasons.iter().all(|reason| *reason == DeadReason::UnknownTask), format!("{reasons:?}"));
    Ok(outcome)
}
