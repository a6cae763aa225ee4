//! The same drill with real Celery, as a reference: its defaults, its own queue, its own prefix of keys.

use std::collections::HashSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use cardoon_core::{BootInstant, QueueName, TaskId};
use cardoon_errors::{Code, Error, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::drill::{EACH_SLOT, LONGER};
use super::efficiency::{Limit, Series, Timed};
use super::fleet::PATIENCE;
use super::parent::OF_VERIFICATION;
use super::{Plan, Site};
use crate::{Testimony, WorkerProcess};

const PROGRAM: &str = include_str!("celery.py");
/// What its worker writes when it takes tasks.
const READY: &str = " ready.";
const LOOK: Duration = Duration::from_millis(20);
/// How long after the last end it is waited for more.
const SILENCE: Duration = Duration::from_secs(5);

/// A Python interpreter that has Celery and redis-py.
#[derive(Debug, Clone)]
pub struct Interpreter(pub OsString);

/// What Celery came to, with its defaults.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CeleryReport {
    pub celery: String,
    /// Of the package `redis`.
    pub redis: String,
    pub work: Series,
    pub kill: CeleryKill,
}

/// One of its workers was killed with SIGKILL, its pool with it; another one took its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CeleryKill {
    pub sent: u64,
    /// Tasks that ran in the worker when it was killed.
    pub running: u64,
    pub executed: u64,
    /// Acknowledged before they ran, and in no queue any more.
    pub lost: u64,
    /// Held for the dead worker. They come back when the visibility timeout has passed, which is an hour by default.
    pub held_back: u64,
    /// So long it was waited for more after the last task had ended.
    pub waited_s: u64,
}

#[derive(Deserialize)]
struct Versions {
    celery: String,
    redis: String,
}

#[derive(Deserialize)]
struct State {
    waiting: Vec<String>,
    unacked: Vec<String>,
}

impl Interpreter {
    /// Runs the efficiency measure and one kill on Celery. Its keys are removed in the end, also after an error.
    ///
    /// Errors: `CD5002` if the interpreter does not have Celery or a process of it fails.
    pub async fn measure(&self, site: &Site, plan: &Plan) -> Result<CeleryReport> {
        let reference = Reference::open(site, &self.0)?;
        let measured = reference.measure(plan).await;
        let cleaned = reference.clean([&site.queue]).await;
        let report = measured?;
        cleaned.map(|()| report)
    }

    /// Fails if the interpreter does not have what is needed. Removes the keys of measurements that were killed.
    pub async fn prepare(&self, site: &Site) -> Result<()> {
        let reference = Reference::open(site, &self.0)?;
        reference.versions().await?;
        let unused = site.take_unused().await?;
        let queues = unused.iter().map(|claim| &claim.queue).chain([&site.queue]);
        let cleaned = reference.clean(queues).await;
        for claim in &unused {
            claim.release().await?;
        }
        cleaned
    }

    /// Removes the keys of a measurement that was broken off, unless somebody else has the place by now.
    pub async fn clean(&self, site: &Site) -> Result<()> {
        if !site.is_ours().await? {
            return Ok(());
        }
        Reference::open(site, &self.0)?.clean([&site.queue]).await
    }
}

impl Drop for CeleryWorker {
    fn drop(&mut self) {
        // The processes of its pool would not end with it.
        if self.process.ended().is_none() {
            let _ = kill_group(&self.process);
        }
    }
}

struct Reference<'a> {
    site: &'a Site,
    python: &'a OsString,
    program: PathBuf,
}

/// A worker of Celery with a witness of its own, since its tasks run in child processes.
struct CeleryWorker {
    process: WorkerProcess,
    witness: PathBuf,
}

impl<'a> Reference<'a> {
    fn open(site: &'a Site, python: &'a OsString) -> Result<Self> {
        let program = site.folder().join("verify_celery.py");
        std::fs::write(&program, PROGRAM).map_err(|error| no_file(&program, error))?;
        Ok(Self { site, python, program })
    }

    async fn measure(&self, plan: &Plan) -> Result<CeleryReport> {
        let Versions { celery, redis } = self.versions().await?;
        let mut timed = Timed::new("celery", plan.tasks, Some(plan.task_ms));
        for (workers, slots) in [(1, 1), (1, plan.slots), (plan.workers, plan.slots)] {
            let took = self.time(plan, workers, slots).await?;
            timed.add((workers, slots), u64::from(plan.tasks), took, None);
        }
        let kill = self.kill(plan).await?;
        Ok(CeleryReport { celery, redis, work: timed.finish(|_| Limit::Unknown), kill })
    }

    async fn versions(&self) -> Result<Versions> {
        let python = self.python.display();
        self.ask(&["probe"]).await.map_err(|error| {
            error.checked(format!("interpreter: {python}")).hint(
                "pip install 'celery[redis]', or name the interpreter that has it: --python venv/bin/python",
            )
        })
    }

    async fn time(&self, plan: &Plan, workers: u32, slots: u32) -> Result<Duration> {
        let mut workers = self.start(workers, slots).await?;
        let ids = self.send(plan.tasks, plan.task_ms).await?;
        let testimony = self.until_silent(&workers, &ids).await?;
        let missing = testimony.count(&ids).lost.len();
        if missing > 0 {
            return Err(workers[0].process.failed(&format!("{missing} tasks of Celery did not end")));
        }
        let first = testimony.starts().map(|entry| entry.at).min().unwrap_or(BootInstant(0));
        let last = testimony.ends().map(|entry| entry.at).max().unwrap_or(first);
        for worker in &mut workers {
            worker.process.stop(PATIENCE).await?;
        }
        Ok(last.since(first))
    }

    async fn kill(&self, plan: &Plan) -> Result<CeleryKill> {
        let mut workers = self.start(plan.workers, plan.slots).await?;
        let ids = self.send(plan.workers * plan.slots * EACH_SLOT, plan.task_ms * LONGER).await?;
        self.until(|| Ok(read(&workers[0].witness)?.starts().count() > 0), &workers[0].process).await?;
        let victim = &mut workers[0];
        kill_group(&victim.process)?;
        victim.process.wait(PATIENCE).await?;
        let running = unfinished(&read(&victim.witness)?).len() as u64;
        workers.push(self.launch(plan.slots)?);
        let ended = self.until_silent(&workers, &ids).await?.count(&ids);
        let State { waiting, unacked } = self.ask(&["state"]).await?;
        let is_in = |ids: &[String], id: &TaskId| ids.iter().any(|known| known == id.as_str());
        let held_back = ended.lost.iter().filter(|id| is_in(&unacked, id)).count() as u64;
        let known = |id: &&TaskId| is_in(&unacked, id) || is_in(&waiting, id);
        let lost = ended.lost.iter().filter(|id| !known(id)).count() as u64;
        for worker in &mut workers[1..] {
            worker.process.stop(PATIENCE).await?;
        }
        let executed = ended.expected - ended.lost.len() as u64;
        Ok(CeleryKill {
            sent: ended.expected,
            running,
            executed,
            lost,
            held_back,
            waited_s: SILENCE.as_secs(),
        })
    }

    async fn start(&self, workers: u32, slots: u32) -> Result<Vec<CeleryWorker>> {
        let workers = (0..workers).map(|_| self.launch(slots)).collect::<Result<Vec<_>>>()?;
        for worker in &workers {
            self.until(|| Ok(worker.process.stderr().contains(READY)), &worker.process).await?;
        }
        Ok(workers)
    }

    fn launch(&self, slots: u32) -> Result<CeleryWorker> {
        let name = format!("celery-{}", self.site.number());
        let witness = self.site.new_file("witness");
        let mut command = self.command(&["worker", &format!("{name}@verify"), &slots.to_string()]);
        command.env("VERIFY_WITNESS", &witness);
        let process = WorkerProcess::spawn(&name, command, self.site.folder(), self.site.clock.clone())?;
        Ok(CeleryWorker { process, witness })
    }

    async fn send(&self, count: u32, millis: u64) -> Result<Vec<TaskId>> {
        let ids: Vec<String> = self.ask(&["send", &count.to_string(), &millis.to_string()]).await?;
        let id = |id| {
            TaskId::new(id).map_err(|error| Error::new(Code::DrillFailed, "an id that is none").source(error))
        };
        ids.into_iter().map(id).collect()
    }

    /// Removes all keys of these queues.
    async fn clean(&self, queues: impl IntoIterator<Item = &QueueName>) -> Result<()> {
        let prefixes: Vec<String> = queues.into_iter().map(prefix).collect();
        let words: Vec<&str> = std::iter::once("clean").chain(prefixes.iter().map(String::as_str)).collect();
        self.ask::<u64>(&words).await.map(drop)
    }

    /// Runs a command of the program and reads its answer.
    async fn ask<T: DeserializeOwned>(&self, words: &[&str]) -> Result<T> {
        let answer = self.site.new_file("answer");
        let mut command = self.command(words);
        command.env("VERIFY_ANSWER", &answer);
        let name = format!("celery-{}", words[0]);
        let mut process = WorkerProcess::spawn(&name, command, self.site.folder(), self.site.clock.clone())?;
        let status = process.wait(PATIENCE).await?;
        let text = std::fs::read_to_string(&answer).ok().filter(|_| status.success());
        let text = text.ok_or_else(|| process.failed("it gave no answer"))?;
        serde_json::from_str(&text).map_err(|error| process.failed("its answer cannot be read").source(error))
    }

    fn command(&self, words: &[&str]) -> Command {
        let queue = self.site.queue.as_str();
        let mut command = Command::new(self.python);
        command.arg(&self.program).args(words);
        command.env("CARDOON_BROKER", &self.site.urls.broker);
        command.env("VERIFY_QUEUE", queue).env("VERIFY_PREFIX", prefix(&self.site.queue));
        // Celery refuses some, and warns of others, of what root does.
        command.env("C_FORCE_ROOT", "1").env("PYTHONDONTWRITEBYTECODE", "1");
        command.env(OF_VERIFICATION, std::process::id().to_string());
        own_group(&mut command);
        command
    }

    async fn until(&self, mut holds: impl FnMut() -> Result<bool>, process: &WorkerProcess) -> Result<()> {
        let end = self.site.clock.boot().plus(PATIENCE);
        while !holds()? {
            if self.site.clock.boot() > end {
                return Err(process.failed("Celery's worker did not get so far"));
            }
            self.site.clock.sleep(LOOK).await;
        }
        Ok(())
    }

    /// Waits until all tasks have ended, or nothing has for a while. Answers what all witnesses say.
    async fn until_silent(&self, workers: &[CeleryWorker], ids: &[TaskId]) -> Result<Testimony> {
        let mut left = ids.len();
        let mut last_change = self.site.clock.boot();
        loop {
            let testimony = read_all(workers)?;
            let now = testimony.count(ids).lost.len();
            if now < left {
                (left, last_change) = (now, self.site.clock.boot());
            }
            if left == 0 || self.site.clock.boot().since(last_change) > SILENCE {
                return Ok(testimony);
            }
            self.site.clock.sleep(LOOK).await;
        }
    }
}

/// What Celery's keys begin with.
fn prefix(queue: &QueueName) -> String {
    format!("{queue}:celery:")
}

fn read_all(workers: &[CeleryWorker]) -> Result<Testimony> {
    let mut entries = Vec::new();
    for worker in workers {
        entries.extend(read(&worker.witness)?.entries);
    }
    Ok(Testimony { entries })
}

fn read(witness: &Path) -> Result<Testimony> {
    Testimony::read(witness).map_err(|error| no_file(witness, error))
}

fn unfinished(testimony: &Testimony) -> HashSet<&TaskId> {
    let ended: HashSet<_> = testimony.ends().map(|entry| &entry.id).collect();
    testimony.starts().map(|entry| &entry.id).filter(|id| !ended.contains(id)).collect()
}

fn no_file(path: &Path, error: std::io::Error) -> Error {
    Error::new(Code::DrillFailed, format!("the file {} cannot be used", path.display())).source(error)
}

/// A group of its own, so that a whole pool can be killed.
#[cfg(unix)]
fn own_group(command: &mut Command) {
    use std::os::unix::process::CommandExt as _;
    command.process_group(0);
}

#[cfg(not(unix))]
fn own_group(_: &mut Command) {}

#[cfg(unix)]
fn kill_group(worker: &WorkerProcess) -> Result<()> {
    let Some(group) = rustix::process::Pid::from_raw(worker.pid().cast_signed()) else { return Ok(()) };
    rustix::process::kill_process_group(group, rustix::process::Signal::KILL)
        .map_err(|error| worker.failed("sending a signal").source(std::io::Error::from(error)))
}

#[cfg(not(unix))]
fn kill_group(worker: &WorkerProcess) -> Result<()> {
    worker.kill().map(drop)
}
