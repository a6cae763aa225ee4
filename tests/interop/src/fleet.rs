//! Workers of both sides on one queue, of which one side is killed under load.

use std::fmt;
use std::time::Duration;

use cardoon_core::TaskId;
use cardoon_drills::WorkerProcess;
use cardoon_runtime::Random;
use serde_json::json;

use crate::lab::PATIENCE;
use crate::{Call, Lab, Side};

/// When nothing has ended for this long, what has not ended is not going to.
const SILENCE: Duration = Duration::from_secs(8);

#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Whose workers are killed.
    pub killed: Side,
    pub kills: u32,
    pub seed: u64,
}

/// What was left after the kills.
#[derive(Debug, Clone)]
pub struct Loss {
    pub version: &'static str,
    pub killed: Side,
    pub kills: u32,
    pub tasks: usize,
    /// Ended by no run.
    pub lost: Vec<TaskId>,
    /// Of the lost, how many their transport gives out again when its visibility timeout (1 h) has passed.
    pub held_back: u64,
    pub second_runs: u64,
}

/// Sends tasks to a worker of each side, and kills the worker of one at random moments. A killed one is replaced.
pub async fn run(lab: &Lab, options: Options) -> anyhow::Result<Loss> {
    let random = Random::from_seed(options.seed);
    let mut producer = lab.producer(Side::Theirs).await?;
    let other = if options.killed == Side::Ours { Side::Theirs } else { Side::Ours };
    let _other = lab.worker_with(other, "stays", 2).await?;
    let mut victim = lab.worker_with(options.killed, "victim", 2).await?;
    let mut ids = Vec::new();
    for kill in 0..options.kills {
        let call = Call::new("interop.slow", json!([0.05]));
        let sent = producer.send_many(&call, 60).await?;
        ids.extend(sent.iter().cloned());
        lab.until("tasks start", |testimony| testimony.starts().any(|start| sent.contains(&start.id)))
            .await?;
        lab.clock.sleep(Duration::from_millis(random.below(300))).await;
        kill_group(&mut victim).await?;
        victim = lab.worker_with(options.killed, &format!("victim-{kill}"), 2).await?;
    }
    let done = until_silent(lab, &ids).await?;
    let executions = lab.testimony()?.count(&ids);
    let held_back = lab.redis.command(&["HLEN", "unacked"]).await?.parse()?;
    Ok(Loss {
        version: lab.version.name(),
        killed: options.killed,
        kills: options.kills,
        tasks: ids.len(),
        lost: done,
        held_back,
        second_runs: executions.second_runs,
    })
}

/// Kills a worker and the processes of its pool.
async fn kill_group(worker: &mut WorkerProcess) -> anyhow::Result<()> {
    let group = rustix::process::Pid::from_raw(worker.pid().cast_signed());
    if let Some(group) = group {
        rustix::process::kill_process_group(group, rustix::process::Signal::KILL)?;
    }
    worker.wait(PATIENCE).await?;
    Ok(())
}

/// Waits until all have ended, or nothing ends any more. Returns what has not.
async fn until_silent(lab: &Lab, ids: &[TaskId]) -> anyhow::Result<Vec<TaskId>> {
    let mut lost = lab.testimony()?.count(ids).lost;
    let mut last_change = lab.clock.boot();
    while !lost.is_empty() && lab.clock.boot().since(last_change) < SILENCE {
        lab.clock.sleep(Duration::from_millis(50)).await;
        let now = lab.testimony()?.count(ids).lost;
        if now.len() != lost.len() {
            last_change = lab.clock.boot();
        }
        lost = now;
    }
    Ok(lost)
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { version, kills, tasks, held_back, second_runs, .. } = self;
        let whose = if self.killed == Side::Ours { "ours" } else { "theirs" };
        let lost = self.lost.len();
        write!(
            f,
            "Celery {version}, {whose} killed {kills} times: {lost} of {tasks} tasks did not end, {held_back} of \
             them come back after Celery's visibility timeout, {second_runs} second runs"
        )
    }
}
