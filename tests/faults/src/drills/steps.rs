//! A worker is killed or stopped at each step between taking and recording: the others finish its tasks.

use std::time::Duration;

use cardoon_core::{ResultRecord, TaskState};
use cardoon_drills::{Testimony, WorkerProcess};
use cardoon_runtime::Random;
use futures_util::future::try_join_all;

use crate::lab::{Look, PATIENCE};
use crate::{Act, Lab, Outcome, Stage, Step, Trap, tasks};

/// How many drills run side by side, so that their leases lapse at the same time.
const SIDE_BY_SIDE: usize = 4;

#[derive(Debug, Clone, Copy)]
pub struct Options {
    pub rounds: u32,
    pub lease: Duration,
    pub seed: u64,
}

pub async fn run(stage: Stage<'_>, options: Options) -> anyhow::Result<Outcome> {
    let random = Random::from_seed(options.seed);
    let mut traps = Vec::new();
    for _ in 0..options.rounds {
        for step in Step::ALL {
            let nth = 1 + random.below(2) as u32;
            traps.extend([Act::Kill, Act::Stop].map(|act| Trap { step, nth: reachable(step, nth), act }));
        }
    }
    let mut outcome = Outcome::new("killed or stopped at each step");
    outcome.figure("traps", traps.len());
    let mut tasks = 0;
    for traps in traps.chunks(SIDE_BY_SIDE) {
        let drills = traps.iter().map(|trap| spring(stage, *trap, options.lease));
        for one in try_join_all(drills).await? {
            tasks += one.tasks;
            outcome.broken.extend(one.broken);
        }
    }
    outcome.figure("tasks", tasks);
    outcome.figure("lost", outcome.broken.len());
    Ok(outcome)
}

/// A second registration needs a second task that comes back, of which there may be one.
fn reachable(step: Step, nth: u32) -> u32 {
    if matches!(step, Step::Claimed | Step::Registering | Step::Registered) { 1 } else { nth }
}

/// What came of one trap.
struct Sprung {
    tasks: usize,
    broken: Vec<String>,
}

/// A first worker dies over its tasks, so that the second one takes tasks that come back; the second one springs
/// the trap; the third one finishes.
async fn spring(stage: Stage<'_>, trap: Trap, lease: Duration) -> anyhow::Result<Sprung> {
    let lab = Lab::open(stage).await?;
    let spec = |name| lab.spec(name).lease(lease);
    let takes = Duration::from_millis(200);
    let mut ids = lab.send(tasks::WORK, 3, takes).await?;
    let early = lab.send(tasks::EARLY, 4, takes).await?;
    ids.extend(lab.send(tasks::WORK, 9, takes).await?);
    ids.extend(lab.send(tasks::FLAKY, 4, takes).await?);
    let first = Trap { step: Step::TaskStarted, nth: 2, act: Act::Kill };
    let mut first = lab.launch(&spec("first").trap(first))?;
    first.wait(PATIENCE).await?;
    let mut trapped = lab.launch(&spec("trapped").trap(trap))?;
    wait_until_sprung(&lab, &mut trapped, trap).await?;
    let mut third = lab.launch(&spec("third"))?;
    if trap.act == Act::Stop {
        // It may have been stopped within a transaction, which nobody can end but itself: then even the third
        // worker's start waits for it.
        let _ = lab.ends(&ids, lease * 4).await;
        trapped.resume()?;
    }
    let records = lab.ends(&ids, PATIENCE).await?;
    let early_records = lab.ends(&early, PATIENCE).await?;
    trapped.stop(PATIENCE).await?;
    third.stop(PATIENCE).await?;
    let mut outcome = Outcome::new(format!("{trap:?}"));
    let failed = records.iter().filter(|record| record.state != TaskState::Success).count();
    outcome.require(failed == 0, format!("{trap:?}: {failed} tasks failed"));
    let testimony = lab.testimony()?;
    let lost = testimony.count(&ids).lost;
    outcome.require(lost.is_empty(), format!("{trap:?}: never done: {lost:?}"));
    judge_early(&mut outcome, &testimony, &early_records);
    let all = [ids, early].concat();
    for (id, history) in lab.histories(&all).await? {
        let finals = history.iter().filter(|record| record.state.is_final()).count();
        outcome.require(finals == 1, format!("{trap:?}: task {id} has {finals} final records"));
    }
    outcome.require(lab.dead().await?.is_empty(), format!("{trap:?}: a task is in the dead letters"));
    Ok(Sprung { tasks: all.len(), broken: outcome.broken })
}

/// What was acknowledged early has not begun twice, and has succeeded unless its worker was lost over it.
fn judge_early(outcome: &mut Outcome, testimony: &Testimony, records: &[ResultRecord]) {
    for record in records {
        let drill = outcome.drill.clone();
        let starts = testimony.starts().filter(|entry| entry.id == record.id).count();
        outcome.require(starts <= 1, format!("{drill}: early task {} started {starts} times", record.id));
        let unknown = record.failure.as_ref().is_some_and(|failure| failure.kind == "OutcomeUnknown");
        let ended = record.state == TaskState::Success || unknown;
        outcome.require(ended, format!("{drill}: early task {} ended as {:?}", record.id, record.failure));
    }
}

async fn wait_until_sprung(lab: &Lab, worker: &mut WorkerProcess, trap: Trap) -> anyhow::Result<()> {
    let sprung = lab.awaited(async || {
        let ended = worker.ended().is_some();
        let sprung = match trap.act {
            Act::Kill => ended,
            Act::Stop => !ended && is_stopped(worker)?,
        };
        let missing = || format!("{trap:?} was not sprung: {}", worker.stderr());
        Ok(if sprung { Look::Found(()) } else { Look::Missing(missing()) })
    });
    sprung.await
}

fn is_stopped(worker: &WorkerProcess) -> anyhow::Result<bool> {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", worker.pid()))?;
    // The name of the program, in brackets, may hold anything; the state follows it.
    Ok(stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('T')))
}

#[cfg(test)]
mod tests {
    use super::*;
    use cardoon_core::{BootInstant, QueueName, RunNumber, TaskFailure, TaskId, Timestamp};
    use cardoon_drills::{Entry, Moment};

    fn judged(starts: u64, state: TaskState, kind: Option<&str>) -> Outcome {
        let id = TaskId::new("a").unwrap();
        let start = |at| Entry {
            moment: Moment::Started,
            run: RunNumber(at),
            pid: at as u32,
            at: BootInstant(at),
            id: id.clone(),
        };
        let record = ResultRecord {
            id: id.clone(),
            task: tasks::EARLY.into(),
            queue: QueueName::default(),
            state,
            run: RunNumber::FIRST,
            attempt: 0,
            value: None,
            failure: kind.map(|kind| TaskFailure::new(kind, "it broke")),
            worker: "w".into(),
            started_at: None,
            finished_at: Timestamp(0),
        };
        let mut outcome = Outcome::new("planted");
        judge_early(&mut outcome, &Testimony { entries: (1..=starts).map(start).collect() }, &[record]);
        outcome
    }

    #[test]
    fn an_early_task_that_begins_twice_or_fails_is_noticed() {
        assert!(judged(1, TaskState::Success, None).verdict().is_ok());
        assert!(judged(0, TaskState::Failure, Some("OutcomeUnknown")).verdict().is_ok());
        assert!(judged(2, TaskState::Success, None).verdict().is_err());
        assert!(judged(1, TaskState::Failure, Some("WorkerLost")).verdict().is_err());
    }
}
