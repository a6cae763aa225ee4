//! Workers of both sides on one queue: what each does with what the other sent or left.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, ensure};
use cardoon::prelude::*;
use cardoon::{App, TaskError, TypedSignature, Worker};
use cardoon_broker::{DeadFilter, HandbackWish};
use cardoon_core::TaskId;
use cardoon_drills::{Witness, WorkerProcess};
use serde_json::{Value, json};

use crate::lab::PATIENCE;
use crate::{Call, Ended, Lab, Side, theirs, version};

/// Tasks of a kind.
const EACH: usize = 15;

/// Only our worker knows it.
#[cardoon::task(name = "interop.ours")]
async fn ours(ctx: &TaskContext, witness: State<Witness>) -> Result<(), TaskError> {
    witness.started(ctx.id(), ctx.run())?;
    Ok(witness.ended(ctx.id(), ctx.run())?)
}

/// A worker of theirs that knows `interop.theirs` alone, with the module `interop_half`. `gives_back`: it gives back
/// what it does not know, instead of dropping it, as Celery does by itself.
fn half_worker(lab: &Lab, folder: &Path, gives_back: bool) -> anyhow::Result<WorkerProcess> {
    let mut command = Command::new(lab.version.program("celery")?);
    command.args(["--app", "interop_half", "worker", "--loglevel", "INFO", "--pool", "solo"]);
    command.args(["--without-mingle", "--without-gossip", "--hostname", "half@interop"]);
    command
        .env("INTEROP_URL", lab.redis.url())
        .env("INTEROP_WITNESS", lab.witness())
        .env("INTEROP_GIVES_BACK", if gives_back { "1" } else { "" })
        .env("PYTHONPATH", version::python())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("C_FORCE_ROOT", "1");
    Ok(WorkerProcess::spawn("half", command, folder, lab.clock.clone())?)
}

async fn is_ready(lab: &Lab, worker: &WorkerProcess) -> anyhow::Result<()> {
    let end = lab.clock.boot().plus(PATIENCE);
    while !worker.stderr().contains(theirs::READY) {
        ensure!(lab.clock.boot() < end, "it did not begin to take tasks: {}", worker.stderr());
        lab.clock.sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}

async fn send(app: &App, task: &'static str, count: usize) -> anyhow::Result<Vec<TaskId>> {
    let call = || TypedSignature::<Value>::named(task).args(json!([]));
    let handles = app.send_many((0..count).map(|_| call())).await?;
    Ok(handles.iter().map(|handle| handle.id().clone()).collect())
}

/// Each side knows half of the tasks, and all of them run.
pub async fn half_each(lab: &Lab) -> anyhow::Result<()> {
    let folder = cardoon_testkit::folder()?;
    let app = lab.app().await?;
    let theirs = half_worker(lab, folder.path(), true)?;
    is_ready(lab, &theirs).await?;
    let witness = Witness::open(lab.witness(), lab.clock.clone())?;
    let worker = Worker::builder(app).task::<ours>().name("half").concurrency(2).state(witness).build()?;
    let handle = worker.handle();
    let all_run = async {
        let mut ids = Vec::new();
        for _ in 0..EACH {
            ids.extend(send(app, "interop.ours", 1).await?);
            ids.extend(send(app, "interop.theirs", 1).await?);
        }
        let ended = lab.until_done(&ids).await.map(drop);
        handle.drain();
        ended.with_context(|| format!("what their worker says: {}", theirs.stderr()))
    };
    let (ended, all_run) = tokio::join!(worker.run(), all_run);
    ended?;
    all_run?;
    let letters = app.stores().broker.dead_letters().list(&DeadFilter::default(), 10).await?;
    ensure!(letters.is_empty(), "in the dead letters: {letters:?}");
    Ok(())
}

/// Their worker, as it is, drops what it does not know. The documents say so.
pub async fn their_worker_drops_the_unknown(lab: &Lab) -> anyhow::Result<()> {
    let folder = cardoon_testkit::folder()?;
    let theirs = half_worker(lab, folder.path(), false)?;
    is_ready(lab, &theirs).await?;
    let id = send(lab.app().await?, "interop.ours", 1).await?.pop().context("no id")?;
    let ended = lab.producer(Side::Ours).await?.outcome(&id, PATIENCE).await?;
    ensure!(matches!(&ended, Ended::Raised { kind, .. } if kind == "NotRegistered"), "it ended as {ended:?}");
    Ok(())
}

/// Tasks without a priority stand in one line, whoever sent them.
pub async fn one_line(lab: &Lab, worker: Side) -> anyhow::Result<()> {
    let (mut our, mut their) = (lab.producer(Side::Ours).await?, lab.producer(Side::Theirs).await?);
    let noop = Call::new("interop.noop", json!([]));
    let mut sent = Vec::new();
    for _ in 0..4 {
        sent.push(our.send(&noop).await?);
        sent.push(their.send(&noop).await?);
    }
    let _worker = lab.worker(worker).await?;
    let testimony = lab.until_done(&sent).await?;
    let started: Vec<_> = testimony.starts().map(|start| start.id.clone()).collect();
    ensure!(started == sent, "started in the order {started:?}, sent in the order {sent:?}");
    Ok(())
}

/// Our workers are gone for good, and what they left runs on theirs.
pub async fn handed_back(lab: &Lab) -> anyhow::Result<()> {
    let (mut our, mut their) = (lab.producer(Side::Ours).await?, lab.producer(Side::Theirs).await?);
    let mut worker = lab.worker(Side::Ours).await?;
    let sent_at = lab.clock.boot();
    let wait = Duration::from_secs(12);
    let later = Call { countdown: Some(wait), ..Call::new("interop.noop", json!([])) };
    let mut delayed = our.send_many(&later, 3).await?;
    delayed.extend(their.send_many(&later, 3).await?);
    is_delayed(lab, &delayed).await?;
    let slow = Call::new("interop.slow", json!([0.5]));
    let mut held = our.send_many(&slow, 2).await?;
    held.extend(their.send_many(&slow, 2).await?);
    lab.until("a task starts", |testimony| testimony.starts().next().is_some()).await?;
    worker.kill_and_wait().await?;
    let handback = lab.app().await?.stores().broker.handback().context("it is Redis")?;
    let report = handback.hand_back(HandbackWish::default()).await?;
    ensure!(report.alive.is_empty(), "alive: {:?}", report.alive);
    let returned = report.queues.first().context("nothing was handed back")?;
    ensure!(returned.delayed == 6 && returned.held > 0, "handed back: {returned:?}");
    let _theirs = lab.worker(Side::Theirs).await?;
    let testimony = lab.until_done(&[held, delayed.clone()].concat()).await?;
    for start in testimony.starts().filter(|start| delayed.contains(&start.id)) {
        let waited = start.at.since(sent_at);
        ensure!(waited >= wait, "a task that was due in {wait:?} started after {waited:?}");
    }
    Ok(())
}

/// Waits until these tasks are in our delayed store: our worker has put off those of theirs.
async fn is_delayed(lab: &Lab, ids: &[TaskId]) -> anyhow::Result<()> {
    let inspect = lab.app().await?.stores().broker.inspect();
    let end = lab.clock.boot().plus(PATIENCE);
    loop {
        let delayed: u64 = inspect.queues().await?.iter().map(|stats| stats.delayed).sum();
        if delayed == ids.len() as u64 {
            return Ok(());
        }
        ensure!(lab.clock.boot() < end, "{delayed} of {} tasks are delayed", ids.len());
        lab.clock.sleep(Duration::from_millis(10)).await;
    }
}

/// A delayed task goes where somebody waits for it: to Celery's list if no worker of ours lives, to our store if one does.
pub async fn delayed_beside(lab: &Lab) -> anyhow::Result<()> {
    let mut our = lab.producer(Side::Ours).await?;
    let soon = Call { countdown: Some(Duration::from_secs(4)), ..Call::new("interop.noop", json!([])) };
    let mut worker = lab.worker(Side::Ours).await?;
    let into_store = our.send(&soon).await?;
    is_delayed(lab, std::slice::from_ref(&into_store)).await?;
    worker.kill_and_wait().await?;
    // A worker that was just seen counts as alive for a second.
    lab.clock.sleep(Duration::from_millis(1100)).await;
    let into_list = our.send(&soon).await?;
    let _theirs = lab.worker(Side::Theirs).await?;
    lab.until_done(std::slice::from_ref(&into_list)).await?;
    let early = lab.testimony()?.starts().any(|start| start.id == into_store);
    ensure!(!early, "their worker cannot see what waits in our store");
    let _ours = lab.worker_with(Side::Ours, "next", 1).await?;
    lab.until_done(std::slice::from_ref(&into_store)).await.map(drop)
}
