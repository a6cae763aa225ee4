//! Workers that are slow, paused, locked out or misled by the wall clock are alive: their tasks are not given away.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, ensure};
use cardoon_core::{ResultRecord, TaskId, TaskState};
use cardoon_drills::{Moment, WorkerProcess};
use futures_util::future::try_join_all;

use crate::lab::PATIENCE;
use crate::{Lab, Outcome, Stage, WorkerSpec, helpers, tasks};

/// What the workers have to bear while their tasks run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// They get a tenth of the time of a processor.
    TenthOfCpu,
    /// They are stopped and continued.
    Pause(Duration),
    /// Another program holds the database's write lock.
    WriteLock(Duration),
    /// The server executes nothing and answers nobody.
    ServerSleeps(Duration),
    /// The wall clock steps by a minute, forward and back.
    ClockSteps,
    /// A rescuer that does not look whether anybody is alive: the drill has to notice it.
    PlantedRescuer,
}

#[derive(Debug, Clone, Copy)]
pub struct Options {
    pub trouble: Trouble,
    pub running: usize,
    /// How long each task runs; the trouble lasts about as long.
    pub duration: Duration,
}

pub async fn run(stage: Stage<'_>, options: Options) -> anyhow::Result<Outcome> {
    let lab = Lab::open(stage).await?;
    let wall = (options.trouble == Trouble::ClockSteps).then(|| FakeWall::new(lab.folder())).transpose()?;
    let slots = options.running.div_ceil(2) as u32;
    let mut workers = Vec::new();
    for name in ["holder-1", "holder-2"] {
        workers.push(start(&lab, &lab.spec(name).slots(slots), wall.as_ref()).await?);
    }
    let ids = lab.send(tasks::WORK, options.running, options.duration).await?;
    lab.until("all tasks run", |testimony| testimony.starts().count() >= options.running).await?;
    // An idle worker looks for the dead and would start at once what it takes from the living.
    let idle = start(&lab, &lab.spec("idle").slots(slots * 2), wall.as_ref()).await?;
    let running = still_running(&lab, &ids)?;
    trouble(&lab, options, &workers, wall.as_ref()).await?;
    let records = lab.ends(&ids, PATIENCE).await?;
    workers.push(idle);
    for worker in &mut workers {
        worker.stop(PATIENCE).await?;
    }
    if wall.is_some() {
        ensure_steps_were_seen(&records)?;
    }
    judge(&lab, options, &ids, &records, running)
}

async fn start(lab: &Lab, spec: &WorkerSpec, wall: Option<&FakeWall>) -> anyhow::Result<WorkerProcess> {
    let mut command = lab.command(spec)?;
    if let Some(wall) = wall {
        wall.apply(&mut command);
    }
    lab.ready(lab.spawn(&spec.name, command)?).await
}

async fn trouble(
    lab: &Lab,
    options: Options,
    workers: &[WorkerProcess],
    wall: Option<&FakeWall>,
) -> anyhow::Result<()> {
    match options.trouble {
        Trouble::TenthOfCpu => {
            try_join_all(workers.iter().map(|worker| worker.throttle(0.1, options.duration))).await?;
        }
        Trouble::Pause(pause) => {
            try_join_all(workers.iter().map(|worker| worker.stand_still(pause))).await?;
        }
        Trouble::WriteLock(hold) => hold_lock(lab, hold).await?,
        Trouble::ServerSleeps(sleep) => {
            let seconds = sleep.as_secs_f64().to_string();
            lab.redis()?.command(&["DEBUG", "SLEEP", &seconds]).await?;
        }
        Trouble::ClockSteps => step_clock(lab, wall.context("no clock to step")?, options.duration).await?,
        Trouble::PlantedRescuer => helpers::give_away_everything(lab).await?,
    }
    Ok(())
}

async fn hold_lock(lab: &Lab, hold: Duration) -> anyhow::Result<()> {
    let mut command = lab.helper("hold-lock");
    command.arg(lab.database()?).arg(hold.as_secs_f64().to_string());
    let mut holder = lab.spawn("lock-holder", command)?;
    let status = holder.wait(hold + PATIENCE).await?;
    ensure!(status.success(), "the lock was not held: {}", holder.stderr());
    Ok(())
}

async fn step_clock(lab: &Lab, wall: &FakeWall, duration: Duration) -> anyhow::Result<()> {
    let steps = [60, -60, 0, -60, 60];
    for seconds in steps {
        wall.step(seconds)?;
        lab.clock.sleep(duration / 4).await;
    }
    Ok(())
}

fn still_running(lab: &Lab, ids: &[TaskId]) -> anyhow::Result<usize> {
    let testimony = lab.testimony()?;
    let ended = testimony.entries.iter().filter(|entry| entry.moment == Moment::Ended).count();
    Ok(ids.len() - ended)
}

fn judge(
    lab: &Lab,
    options: Options,
    ids: &[TaskId],
    records: &[ResultRecord],
    running: usize,
) -> anyhow::Result<Outcome> {
    let executions = lab.testimony()?.count(ids);
    let mut outcome = Outcome::new(format!("no false rescue: {:?}", options.trouble));
    outcome.expect("running when it began", running, options.running);
    outcome.expect("second runs", executions.second_runs, 0);
    outcome.expect("lost", executions.lost.len(), 0);
    let failed = records.iter().filter(|record| record.state != TaskState::Success).count();
    outcome.expect("failed", failed, 0);
    Ok(outcome)
}

/// A wall clock that follows a file, for processes that are started with it. It leaves the monotonic clocks alone.
struct FakeWall {
    offset: PathBuf,
    library: &'static str,
}

impl FakeWall {
    const LIBRARIES: [&'static str; 3] = [
        "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
        "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1",
        "/usr/lib64/faketime/libfaketimeMT.so.1",
    ];

    fn new(folder: &Path) -> anyhow::Result<Self> {
        let library = Self::LIBRARIES.into_iter().find(|library| Path::new(library).exists());
        let library = library.context("libfaketime is not installed: run `cargo xtask setup`")?;
        let wall = Self { offset: folder.join("clock-offset"), library };
        wall.step(0)?;
        Ok(wall)
    }

    fn apply(&self, command: &mut Command) {
        command
            .env("LD_PRELOAD", self.library)
            .env("FAKETIME_TIMESTAMP_FILE", &self.offset)
            .env("FAKETIME_NO_CACHE", "1")
            .env("DONT_FAKE_MONOTONIC", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    }

    /// Replaces the file in one step, so that no process reads half of it.
    fn step(&self, seconds: i64) -> anyhow::Result<()> {
        let next = self.offset.with_extension("next");
        std::fs::write(&next, format!("{seconds:+}"))?;
        Ok(std::fs::rename(next, &self.offset)?)
    }
}

/// The drill is worth nothing if the workers' clock did not move: a run then seems to take a minute more or less.
fn ensure_steps_were_seen(records: &[ResultRecord]) -> anyhow::Result<()> {
    let now = cardoon_runtime::Clock::real().now();
    let off = |record: &&ResultRecord| now.0.abs_diff(record.finished_at.0) > 30_000;
    ensure!(records.iter().any(|record| off(&record)), "no worker has seen the clock step");
    Ok(())
}
