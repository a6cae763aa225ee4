//! A worker stands still beyond its lease and comes back: nothing that it then says about its tasks counts.

use std::collections::HashMap;
use std::time::Duration;

use cardoon_core::{ResultRecord, TaskId, TaskState};
use cardoon_drills::{Testimony, WorkerProcess};

use crate::lab::{Look, PATIENCE};
use crate::{Lab, Outcome, Stage, tasks};

const PAUSED: &str = "paused";
const OTHER: &str = "other";

#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Every second round wakes the paused worker while the other one is still at work.
    pub rounds: u32,
    pub lease: Duration,
}

pub async fn run(stage: Stage<'_>, options: Options) -> anyhow::Result<Outcome> {
    let mut outcome = Outcome::new("stopped beyond the lease, then continued");
    outcome.figure("rounds", options.rounds);
    outcome.figure("lease in s", options.lease.as_secs_f64());
    let mut refused = 0;
    for round in 0..options.rounds {
        refused += pause_once(stage, options, round % 2 == 1, &mut outcome).await?;
    }
    outcome.expect("stale runs refused", refused, options.rounds as usize * 4);
    Ok(outcome)
}

async fn pause_once(
    stage: Stage<'_>,
    options: Options,
    wake_early: bool,
    outcome: &mut Outcome,
) -> anyhow::Result<usize> {
    let lab = Lab::open(stage).await?;
    let duration = Duration::from_secs(1);
    let mut paused = lab.start(&lab.spec(PAUSED).lease(options.lease)).await?;
    let steady = lab.send(tasks::WORK, 2, duration).await?;
    let flaky = lab.send(tasks::FLAKY, 2, duration).await?;
    lab.until("all tasks started", |testimony| testimony.starts().count() == 4).await?;
    pause_outside_transactions(&lab, &paused).await?;
    let mut other = lab.start(&lab.spec(OTHER).lease(options.lease)).await?;
    let ids = [steady.clone(), flaky.clone()].concat();
    lab.until("the other worker started them", |testimony| starts_at(testimony, other.pid()) >= 4).await?;
    if !wake_early {
        lab.ends(&ids, PATIENCE).await?;
    }
    paused.resume()?;
    let records = lab.ends(&ids, PATIENCE).await?;
    paused.stop(PATIENCE).await?;
    other.stop(PATIENCE).await?;
    let testimony = lab.testimony()?;
    outcome
        .require(records.iter().all(|record| record.state == TaskState::Success), "a task did not succeed");
    outcome.require(lab.dead().await?.is_empty(), "a task is in the dead letters");
    judge_starts(outcome, &testimony, &steady, 2);
    // The first attempt ran twice; the retry of the refused one must not be the third.
    judge_starts(outcome, &testimony, &flaky, 3);
    Ok(judge_records(outcome, &lab.histories(&ids).await?))
}

/// Pauses a worker while it holds no lock of the database: one that is paused within a transaction stops everybody,
/// and nobody takes its tasks.
async fn pause_outside_transactions(lab: &Lab, worker: &WorkerProcess) -> anyhow::Result<()> {
    let paused = lab.awaited(async || {
        worker.pause()?;
        if lab.can_write(Duration::from_secs(2)).await? {
            return Ok(Look::Found(()));
        }
        worker.resume()?;
        Ok(Look::Missing("a moment in which the worker holds no lock".to_owned()))
    });
    paused.await
}

fn starts_at(testimony: &Testimony, pid: u32) -> usize {
    testimony.starts().filter(|entry| entry.pid == pid).count()
}

fn judge_starts(outcome: &mut Outcome, testimony: &Testimony, ids: &[TaskId], wanted: usize) {
    for id in ids {
        let starts = testimony.starts().filter(|entry| entry.id == *id).count();
        outcome.require(starts == wanted, format!("task {id} started {starts} times, expected {wanted}"));
    }
}

/// Counts the tasks of which the paused worker has recorded nothing.
fn judge_records(outcome: &mut Outcome, histories: &HashMap<TaskId, Vec<ResultRecord>>) -> usize {
    let mut refused = 0;
    for (id, history) in histories {
        let finals = history.iter().filter(|record| record.state.is_final()).count();
        outcome.require(finals == 1, format!("task {id} has {finals} final records"));
        // The retry is a new attempt, which the worker may take when it is awake again.
        if history.iter().all(|record| &*record.worker != PAUSED || record.attempt > 0) {
            refused += 1;
        } else {
            outcome.require(false, format!("task {id}: a stale run was recorded"));
        }
    }
    refused
}

#[cfg(test)]
mod tests {
    use super::*;
    use cardoon_core::{QueueName, RunNumber, Timestamp};

    fn record(worker: &str) -> ResultRecord {
        ResultRecord {
            id: TaskId::new("a").unwrap(),
            task: tasks::WORK.into(),
            queue: QueueName::default(),
            state: TaskState::Success,
            run: RunNumber::FIRST,
            attempt: 0,
            value: None,
            failure: None,
            worker: worker.into(),
            started_at: None,
            finished_at: Timestamp(0),
        }
    }

    fn judged(history: Vec<ResultRecord>) -> (usize, Outcome) {
        let mut outcome = Outcome::new("planted");
        let refused = judge_records(&mut outcome, &HashMap::from([(TaskId::new("a").unwrap(), history)]));
        (refused, outcome)
    }

    #[test]
    fn the_record_of_a_stale_run_is_noticed() {
        let (refused, outcome) = judged(vec![record(OTHER)]);
        assert!(refused == 1 && outcome.verdict().is_ok());
        let (refused, outcome) = judged(vec![record(PAUSED)]);
        assert!(refused == 0 && outcome.verdict().is_err());
        assert!(judged(vec![record(OTHER), record(OTHER)]).1.verdict().is_err(), "two ends of one task");
    }
}
