//! The disk is full, the file is gone, or it cannot be written: a coded error, nothing acknowledged is lost, work resumes.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, ensure};
use cardoon_core::TaskId;
use cardoon_drills::WorkerProcess;
use cardoon_errors::{Applied, Code, Error, Result};
use clap::ValueEnum;

use crate::lab::{Look, PATIENCE};
use crate::{Lab, Outcome, tasks};

const SHORT: Duration = Duration::from_millis(20);

/// What happens to the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Fault {
    /// It is filled under a working worker, and freed again.
    Full,
    /// The database file is moved away from a working worker, and back.
    Gone,
    /// A database cannot be written, and later it can.
    ReadOnly,
}

/// Runs the drill in this process if it may mount, else as the root of a user namespace of its own.
pub async fn run(program: &Path, fault: Fault) -> anyhow::Result<Outcome> {
    if rustix::process::geteuid().is_root() {
        return run_here(program, fault).await;
    }
    let name = fault.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
    let mut namespace = tokio::process::Command::new("unshare");
    namespace.args(["--user", "--map-root-user", "--mount"]).arg(program).args(["disk", &name]);
    let output = namespace.kill_on_drop(true).output().await.context("cannot run unshare")?;
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    serde_json::from_slice(&output.stdout)
        .with_context(|| format!("the drill needs a user namespace: {told}"))
}

/// Runs the drill with this process's right to mount.
pub async fn run_here(program: &Path, fault: Fault) -> anyhow::Result<Outcome> {
    match fault {
        Fault::Full => full(program).await,
        Fault::Gone => gone(program).await,
        Fault::ReadOnly => read_only(program).await,
    }
}

async fn full(program: &Path) -> anyhow::Result<Outcome> {
    let disk = SmallDisk::mount()?;
    let mut drill = Drill::start(program, &disk).await?;
    disk.fill()?;
    let error = drill.send_until_refused().await?;
    let full_for = drill.acknowledged.len();
    disk.free()?;
    let mut outcome = Outcome::new("disk full");
    outcome.figure("acknowledged until it was full", full_for);
    outcome.require(error.code() == Code::DiskFull, format!("expected CD1107, got {error:?}"));
    drill.finish(outcome).await
}

async fn gone(program: &Path) -> anyhow::Result<Outcome> {
    let disk = SmallDisk::mount()?;
    let mut drill = Drill::start(program, &disk).await?;
    let away = disk.path().join("moved-away.db");
    std::fs::rename(drill.lab.database()?, &away)?;
    let error = drill.send_until_refused().await?;
    std::fs::rename(&away, drill.lab.database()?)?;
    drill.restart().await?;
    let mut outcome = Outcome::new("file removed");
    outcome.require(error.code() == Code::FileGone, format!("expected CD1109, got {error:?}"));
    drill.finish(outcome).await
}

async fn read_only(program: &Path) -> anyhow::Result<Outcome> {
    let disk = SmallDisk::mount()?;
    let mut drill = Drill::start(program, &disk).await?;
    drill.send().await??;
    let mut outcome = Outcome::new("read-only");
    let frozen = disk.read_only_view()?;
    let url = format!("sqlite:{}", frozen.path().join("cardoon.db").display());
    let mut command = drill.lab.command(&drill.lab.spec("cannot-write").url(url))?;
    command.env("RUST_BACKTRACE", "0");
    let mut worker = drill.lab.spawn("cannot-write", command)?;
    let status = worker.wait(PATIENCE).await?;
    let told = worker.stderr().contains(&Code::ReadOnly.to_string());
    outcome.require(!status.success(), "a worker on a read-only database has ended well");
    outcome.require(told, format!("expected CD1108: {}", worker.stderr()));
    drill.finish(outcome).await
}

/// A worker under load whose database is on a small disk.
struct Drill {
    lab: Lab,
    worker: WorkerProcess,
    acknowledged: Vec<TaskId>,
}

impl Drill {
    async fn start(program: &Path, disk: &SmallDisk) -> anyhow::Result<Self> {
        let lab = Lab::on_database(program, disk.path().join("cardoon.db")).await?;
        let worker = lab.start(&lab.spec("worker")).await?;
        let mut drill = Self { lab, worker, acknowledged: Vec::new() };
        drill.send().await??;
        Ok(drill)
    }

    async fn send(&mut self) -> anyhow::Result<Result<()>> {
        send(&self.lab, &mut self.acknowledged).await
    }

    async fn send_until_refused(&mut self) -> anyhow::Result<Error> {
        let Self { lab, acknowledged, .. } = self;
        let error = lab.awaited(async || match send(lab, acknowledged).await? {
            Err(error) => Ok(Look::Found(error)),
            Ok(()) => Ok(Look::Missing("nothing was refused".to_owned())),
        });
        let error = error.await?;
        ensure!(error.was_applied() != Applied::Yes, "an error that was applied: {error:?}");
        Ok(error)
    }

    /// Opens the database anew in this process and in a new worker, as CD1109 asks for.
    async fn restart(&mut self) -> anyhow::Result<()> {
        self.worker.kill_and_wait().await?;
        self.lab.reconnect().await?;
        self.worker = self.lab.start(&self.lab.spec("restarted")).await?;
        Ok(())
    }

    /// Sends again until it works, and waits for everything that was ever acknowledged.
    async fn finish(mut self, mut outcome: Outcome) -> anyhow::Result<Outcome> {
        let Self { lab, acknowledged, .. } = &mut self;
        let resumed = lab.awaited(async || match send(lab, acknowledged).await? {
            Ok(()) => Ok(Look::Found(())),
            Err(error) => Ok(Look::Missing(format!("work does not resume: {error}"))),
        });
        resumed.await?;
        outcome.require(self.worker.ended().is_none(), format!("the worker ended: {}", self.worker.stderr()));
        self.lab.ends(&self.acknowledged, PATIENCE).await?;
        let executions = self.lab.testimony()?.count(&self.acknowledged);
        outcome.figure("acknowledged", self.acknowledged.len());
        outcome.expect("lost", executions.lost.len(), 0);
        outcome.expect("without a result", self.lab.without_success(&self.acknowledged).await?, 0);
        self.worker.stop(PATIENCE).await?;
        Ok(outcome)
    }
}

/// Sends a few tasks and remembers those that were acknowledged.
async fn send(lab: &Lab, acknowledged: &mut Vec<TaskId>) -> anyhow::Result<Result<()>> {
    let mut answer = Ok(());
    let messages =
        (0..20).map(|_| crate::lab::message(tasks::WORK, SHORT)).collect::<anyhow::Result<Vec<_>>>()?;
    let ids: Vec<_> = messages.iter().map(|message| message.id.clone()).collect();
    for (id, published) in ids.into_iter().zip(lab.publish(messages).await) {
        match published {
            Ok(_) => acknowledged.push(id),
            Err(error) => answer = Err(error),
        }
    }
    Ok(answer)
}

/// A file system of 16 MiB in memory, which is unmounted with its owner. Needs the right to mount.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount() -> anyhow::Result<Self> {
        let path = tempfile::Builder::new().prefix("cardoon-disk-").tempdir()?.keep();
        mount(&["-t", "tmpfs", "-o", "size=16m", "cardoon-drill"], &path)?;
        Ok(Self(path))
    }

    /// The same files at another path, where they cannot be written.
    fn read_only_view(&self) -> anyhow::Result<Self> {
        let path = tempfile::Builder::new().prefix("cardoon-disk-").tempdir()?.keep();
        let source = self.0.display().to_string();
        mount(&["--bind", &source], &path)?;
        let view = Self(path);
        mount(&["-o", "remount,bind,ro"], view.path())?;
        Ok(view)
    }

    fn path(&self) -> &Path {
        &self.0
    }

    fn filler(&self) -> PathBuf {
        self.0.join("filler")
    }

    /// Takes every byte that is left.
    fn fill(&self) -> anyhow::Result<()> {
        use std::io::Write;
        let mut file = std::fs::File::create(self.filler())?;
        for block in [1 << 16, 1 << 12, 1] {
            while file.write_all(&vec![0; block]).is_ok() {}
        }
        Ok(())
    }

    fn free(&self) -> anyhow::Result<()> {
        Ok(std::fs::remove_file(self.filler())?)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a process that still has a file open keeps it until it ends.
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
        let _ = std::fs::remove_dir(&self.0);
    }
}

fn mount(args: &[&str], path: &Path) -> anyhow::Result<()> {
    let output = Command::new("mount").args(args).arg(path).output().context("cannot run mount")?;
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.success(), "this drill mounts a small disk and needs the right to: {told}");
    Ok(())
}
