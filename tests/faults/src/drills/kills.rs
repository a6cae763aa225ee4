//! Workers are killed with SIGKILL at random moments under load: nothing is lost, and what had started runs again soon.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use cardoon_broker::DeadLetter;
use cardoon_core::{BootInstant, DeadReason, TaskId};
use cardoon_drills::{Entry, Testimony, WorkerProcess};
use cardoon_runtime::Random;

use crate::{Lab, Outcome, Plant, Stage, tasks};

const WORKERS: u64 = 3;
/// What a killed worker's task is to be started again within.
const SECOND_RUN_WITHIN: Duration = Duration::from_secs(3);
/// A task that had ended this long before the kill was certainly recorded.
const RECORDED_AFTER: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, Copy)]
pub struct Options {
    pub kills: u32,
    pub seed: u64,
    pub plant: Option<Plant>,
}

/// A worker that was killed.
#[derive(Debug, Clone, Copy)]
struct Kill {
    pid: u32,
    at: BootInstant,
}

pub async fn run(stage: Stage<'_>, options: Options) -> anyhow::Result<Outcome> {
    let lab = Lab::open(stage).await?;
    let random = Random::from_seed(options.seed);
    let mut fleet = Fleet::start(&lab, options.plant).await?;
    let mut ids = Vec::new();
    let mut kills = Vec::new();
    for _ in 0..options.kills {
        // Some kills come alone, so that the time to the second run is that after one death; others come in a row.
        let alone = if random.below(3) == 0 { SECOND_RUN_WITHIN } else { Duration::ZERO };
        lab.clock.sleep(alone).await;
        let task = if random.below(2) == 0 { tasks::WORK } else { tasks::BLOCKING };
        ids.extend(lab.send(task, 40, Duration::from_millis(20 + random.below(150))).await?);
        lab.clock.sleep(Duration::from_millis(100 + random.below(500))).await;
        kills.push(fleet.kill(random.below(WORKERS) as usize).await?);
    }
    lab.drained().await?;
    fleet.stop().await?;
    judge(&lab, &ids, &kills).await
}

/// Workers of which the killed are replaced.
struct Fleet<'a> {
    lab: &'a Lab,
    plant: Option<Plant>,
    workers: Vec<WorkerProcess>,
    started: u32,
}

impl<'a> Fleet<'a> {
    async fn start(lab: &'a Lab, plant: Option<Plant>) -> anyhow::Result<Self> {
        let mut fleet = Self { lab, plant, workers: Vec::new(), started: 0 };
        for _ in 0..WORKERS {
            let worker = fleet.launch()?;
            fleet.workers.push(lab.ready(worker).await?);
        }
        Ok(fleet)
    }

    fn launch(&mut self) -> anyhow::Result<WorkerProcess> {
        self.started += 1;
        self.lab.launch(&self.lab.spec(format!("worker-{}", self.started)).plant(self.plant))
    }

    async fn kill(&mut self, index: usize) -> anyhow::Result<Kill> {
        let replacement = self.launch()?;
        let mut victim = std::mem::replace(&mut self.workers[index], replacement);
        let pid = victim.pid();
        Ok(Kill { pid, at: victim.kill_and_wait().await? })
    }

    async fn stop(&mut self) -> anyhow::Result<()> {
        for worker in &mut self.workers {
            worker.stop(crate::lab::PATIENCE).await?;
        }
        Ok(())
    }
}

async fn judge(lab: &Lab, ids: &[TaskId], kills: &[Kill]) -> anyhow::Result<Outcome> {
    let testimony = lab.testimony()?;
    let buried = buried(&testimony, kills, &lab.dead().await?);
    let ids: Vec<_> = ids.iter().filter(|id| !buried.contains(*id)).cloned().collect();
    let executions = testimony.count(&ids);
    let mut outcome = Outcome::new("kills -9 under load");
    outcome.figure("kills", kills.len());
    outcome.figure("tasks", ids.len() + buried.len());
    outcome.expect("lost", executions.lost.len(), 0);
    outcome.expect("without a result", lab.without_success(&ids).await?, 0);
    outcome.figure("buried as poison after three deaths", buried.len());
    outcome.expect("buried without that", lab.dead().await?.len() - buried.len(), 0);
    judge_second_runs(&mut outcome, &testimony, kills, &buried);
    outcome.figure("second runs", executions.second_runs);
    outcome.figure("duplicates", executions.duplicates);
    Ok(outcome)
}

/// Tasks in the dead letters of which the witness, too, has seen that three workers died over them.
fn buried(testimony: &Testimony, kills: &[Kill], dead: &[DeadLetter]) -> HashSet<TaskId> {
    let interrupted: Vec<_> = kills.iter().map(|kill| testimony.unfinished_of(kill.pid)).collect();
    let deaths = |id: &TaskId| interrupted.iter().filter(|tasks| tasks.contains(id)).count();
    let poison = dead.iter().filter(|letter| letter.reason == DeadReason::Poison);
    poison.map(|letter| letter.message.id.clone()).filter(|id| deaths(id) >= 3).collect()
}

/// Each second run needs a kill that explains it, and follows it soon, or the last of several: whoever took the task
/// next may have been killed before it began.
fn judge_second_runs(outcome: &mut Outcome, testimony: &Testimony, kills: &[Kill], buried: &HashSet<TaskId>) {
    let mut slowest = Duration::ZERO;
    let mut interrupted = 0;
    for kill in kills {
        let unfinished = testimony.unfinished_of(kill.pid);
        interrupted += unfinished.len();
        for id in unfinished {
            let again = testimony.next_start(&HashSet::from([id.clone()]), kill.pid, kill.at);
            match again {
                Some(again) => slowest = slowest.max(again.since(last_of_a_row(kills, kill.at, again))),
                None if buried.contains(&id) => {}
                None => outcome.require(false, format!("task {id} had started and never ran again")),
            }
        }
    }
    outcome.figure("had started at their worker's death", interrupted);
    outcome.expect("second runs without a kill", unexplained(testimony, kills), 0);
    outcome.within("slowest second run in s", slowest, SECOND_RUN_WITHIN);
}

/// The last kill before `again` of those that followed the one at `at` within the time in which a task has to run again.
fn last_of_a_row(kills: &[Kill], at: BootInstant, again: BootInstant) -> BootInstant {
    let mut last = at;
    for kill in kills {
        if kill.at > last && kill.at < again && kill.at.since(last) < SECOND_RUN_WITHIN {
            last = kill.at;
        }
    }
    last
}

/// Second runs whose run before was in no killed worker, or had ended long before the kill.
fn unexplained(testimony: &Testimony, kills: &[Kill]) -> usize {
    let killed_at: HashMap<_, _> = kills.iter().map(|kill| (kill.pid, kill.at)).collect();
    let mut runs: HashMap<&TaskId, Vec<&Entry>> = HashMap::new();
    for start in testimony.starts() {
        runs.entry(&start.id).or_default().push(start);
    }
    let ended = |start: &Entry| {
        let same = |entry: &&Entry| entry.id == start.id && entry.pid == start.pid && entry.run == start.run;
        testimony.ends().find(same).map(|entry| entry.at)
    };
    let explained = |start: &Entry| {
        let Some(killed) = killed_at.get(&start.pid) else { return false };
        ended(start).is_none_or(|end| killed.since(end) < RECORDED_AFTER)
    };
    let earlier = runs.values().filter(|runs| runs.len() > 1).flat_map(|runs| &runs[..runs.len() - 1]);
    earlier.filter(|start| !explained(start)).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use cardoon_core::RunNumber;
    use cardoon_drills::Moment;

    fn entry(moment: Moment, pid: u32, run: u64, at: u64) -> Entry {
        Entry { moment, run: RunNumber(run), pid, at: BootInstant(at), id: TaskId::new("a").unwrap() }
    }

    #[test]
    fn a_second_run_without_a_kill_is_noticed() {
        let entries = vec![entry(Moment::Started, 1, 1, 0), entry(Moment::Started, 2, 2, 5000)];
        let testimony = Testimony { entries };
        assert_eq!(unexplained(&testimony, &[Kill { pid: 1, at: BootInstant(4000) }]), 0);
        assert_eq!(unexplained(&testimony, &[Kill { pid: 2, at: BootInstant(4000) }]), 1);
    }

    #[test]
    fn a_task_that_was_done_long_before_the_kill_must_not_run_again() {
        let kill = [Kill { pid: 1, at: BootInstant(4000) }];
        let done_at = |end| Testimony {
            entries: vec![
                entry(Moment::Started, 1, 1, 0),
                entry(Moment::Ended, 1, 1, end),
                entry(Moment::Started, 2, 2, 5000),
            ],
        };
        assert_eq!(unexplained(&done_at(3990), &kill), 0);
        assert_eq!(unexplained(&done_at(1000), &kill), 1);
    }

    #[test]
    fn kills_in_a_row_begin_the_time_anew_and_others_do_not() {
        let kills = [1000, 2000, 6000].map(|at| Kill { pid: 1, at: BootInstant(at) });
        let last = |again| last_of_a_row(&kills, kills[0].at, BootInstant(again));
        assert_eq!(last(1500), BootInstant(1000));
        assert_eq!(last(4500), BootInstant(2000));
        assert_eq!(last(7000), BootInstant(2000));
    }

    #[test]
    fn a_task_that_never_ran_again_or_too_late_is_noticed() {
        let kill = [Kill { pid: 1, at: BootInstant(1000) }];
        let mut never = Outcome::new("never");
        let lost = Testimony { entries: vec![entry(Moment::Started, 1, 1, 0)] };
        judge_second_runs(&mut never, &lost, &kill, &HashSet::new());
        assert!(never.verdict().is_err());
        let mut late = Outcome::new("late");
        let entries = vec![entry(Moment::Started, 1, 1, 0), entry(Moment::Started, 2, 2, 4001)];
        judge_second_runs(&mut late, &Testimony { entries }, &kill, &HashSet::new());
        assert!(late.strict_verdict().is_err());
    }
}
