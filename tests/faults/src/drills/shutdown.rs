//! Workers are told to drain under load: nothing is lost, nothing runs twice, nothing counts as failed.

use std::time::Duration;

use cardoon_core::TaskState;
use cardoon_runtime::Random;

use crate::lab::PATIENCE;
use crate::{Lab, Outcome, Stage, tasks};

const WORKERS: usize = 3;

#[derive(Debug, Clone, Copy)]
pub struct Options {
    pub rounds: u32,
    pub seed: u64,
}

pub async fn run(stage: Stage<'_>, options: Options) -> anyhow::Result<Outcome> {
    let lab = Lab::open(stage).await?;
    let random = Random::from_seed(options.seed);
    let mut workers = Vec::new();
    for number in 0..WORKERS {
        workers.push(lab.start(&lab.spec(format!("worker-{number}"))).await?);
    }
    let mut outcome = Outcome::new("SIGTERM under load");
    let mut ids = Vec::new();
    for round in 0..options.rounds {
        let task = if random.below(2) == 0 { tasks::WORK } else { tasks::BLOCKING };
        ids.extend(lab.send(task, 40, Duration::from_millis(20 + random.below(150))).await?);
        lab.clock.sleep(Duration::from_millis(random.below(300))).await;
        let replacement = lab.start(&lab.spec(format!("replacement-{round}"))).await?;
        let victim = random.below(WORKERS as u64) as usize;
        let mut drained = std::mem::replace(&mut workers[victim], replacement);
        let status = drained.stop(PATIENCE).await?;
        outcome
            .require(status.success(), format!("a drained worker ended with {status}: {}", drained.stderr()));
    }
    lab.ends(&ids, PATIENCE).await?;
    let executions = lab.testimony()?.count(&ids);
    let histories = lab.histories(&ids).await?;
    let clean = |state: &[TaskState]| state == [TaskState::Success];
    let states =
        histories.values().map(|history| history.iter().map(|record| record.state).collect::<Vec<_>>());
    outcome.figure("workers drained", options.rounds);
    outcome.figure("tasks", ids.len());
    outcome.expect("lost", executions.lost.len(), 0);
    outcome.expect("second runs", executions.second_runs, 0);
    outcome.expect(
        "with another history than one success",
        states.filter(|states| !clean(states)).count(),
        0,
    );
    outcome.expect("in the dead letters", lab.dead().await?.len(), 0);
    Ok(outcome)
}
