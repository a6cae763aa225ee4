use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::Context;
use cardoon::App;
use cardoon_core::TaskId;
use cardoon_drills::{Testimony, WorkerProcess};
use cardoon_runtime::Clock;
use cardoon_testkit::{RedisServer, TempDir};
use tokio::sync::OnceCell;

use crate::{CeleryClient, OurSpec, Producer, Side, Version, theirs};

/// What has not happened by then does not happen.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);
const LOOK: Duration = Duration::from_millis(10);

/// A Redis, a version of Celery, and the witness of all tasks. Ends everything with its owner.
pub struct Lab {
    pub version: Version,
    pub redis: RedisServer,
    pub clock: Clock,
    /// Plants a bug in our workers: they acknowledge tasks before they run them.
    careless: bool,
    program: PathBuf,
    folder: TempDir,
    app: OnceCell<App>,
}

impl Lab {
    /// `program` is the executable of this package, which is started as `program worker SPEC`.
    pub async fn open(program: &Path, version: Version) -> anyhow::Result<Self> {
        let redis = RedisServer::start().await?;
        let folder = cardoon_testkit::folder()?;
        Ok(Self {
            version,
            redis,
            clock: Clock::real(),
            careless: false,
            program: program.to_owned(),
            folder,
            app: OnceCell::new(),
        })
    }

    pub fn witness(&self) -> PathBuf {
        self.folder.path().join("witness")
    }

    pub fn testimony(&self) -> anyhow::Result<Testimony> {
        Ok(Testimony::read(&self.witness())?)
    }

    pub async fn producer(&self, side: Side) -> anyhow::Result<Producer> {
        Ok(match side {
            Side::Ours => Producer::Ours(self.app().await?.clone()),
            Side::Theirs => Producer::Theirs(Box::new(self.client()?)),
        })
    }

    /// Its workers of ours have a bug that a fleet has to notice: they acknowledge the slow task before it runs.
    #[must_use]
    pub fn careless(self) -> Self {
        Self { careless: true, ..self }
    }

    /// Our own connection to the Redis.
    pub async fn app(&self) -> anyhow::Result<&App> {
        Ok(self.app.get_or_try_init(|| async { App::connect(&self.redis.url()).await }).await?)
    }

    pub fn client(&self) -> anyhow::Result<CeleryClient> {
        CeleryClient::start(self)
    }

    /// A worker with a single slot that is ready for tasks.
    pub async fn worker(&self, side: Side) -> anyhow::Result<WorkerProcess> {
        self.worker_with(side, "worker", 1).await
    }

    /// A worker that is ready for tasks.
    pub async fn worker_with(&self, side: Side, name: &str, slots: u32) -> anyhow::Result<WorkerProcess> {
        let worker = self.launch(side, name, slots)?;
        self.ready(side, worker).await
    }

    /// Waits until a worker takes tasks.
    pub async fn ready(&self, side: Side, mut worker: WorkerProcess) -> anyhow::Result<WorkerProcess> {
        let end = self.clock.boot().plus(PATIENCE);
        while !self.takes_tasks(side, &worker).await? {
            if worker.ended().is_some() || self.clock.boot() > end {
                return Err(worker.failed("it did not begin to take tasks").into());
            }
            self.clock.sleep(LOOK).await;
        }
        Ok(worker)
    }

    /// Starts a worker and does not wait for it.
    pub fn launch(&self, side: Side, name: &str, slots: u32) -> anyhow::Result<WorkerProcess> {
        let mut command = match side {
            Side::Ours => self.our_command(name, slots)?,
            Side::Theirs => theirs::worker(self, name, slots)?,
        };
        // A group of its own, so that a whole pool can be killed.
        command.process_group(0);
        Ok(WorkerProcess::spawn(name, command, self.folder.path(), self.clock.clone())?)
    }

    /// Waits until the testimony says so.
    pub async fn until(
        &self,
        what: &str,
        holds: impl FnMut(&Testimony) -> bool,
    ) -> anyhow::Result<Testimony> {
        let testimony = Testimony::awaited(&self.witness(), &self.clock, PATIENCE, holds).await;
        let testimony = testimony.context("cannot read the witness's file")?;
        testimony.with_context(|| format!("waited in vain: {what}"))
    }

    /// Waits until these tasks have ended.
    pub async fn until_done(&self, ids: &[TaskId]) -> anyhow::Result<Testimony> {
        self.until("all tasks end", |testimony| testimony.count(ids).lost.is_empty()).await
    }

    fn our_command(&self, name: &str, slots: u32) -> anyhow::Result<Command> {
        let spec = OurSpec {
            name: name.into(),
            url: self.redis.url(),
            witness: self.witness(),
            slots,
            careless: self.careless,
        };
        let mut command = Command::new(&self.program);
        command.arg("worker").arg(serde_json::to_string(&spec)?);
        Ok(command)
    }

    async fn takes_tasks(&self, side: Side, worker: &WorkerProcess) -> anyhow::Result<bool> {
        if side == Side::Theirs {
            return Ok(worker.stderr().contains(theirs::READY));
        }
        let members = self.app().await?.stores().broker.inspect().members().await?;
        Ok(members.iter().any(|member| member.pid == worker.pid()))
    }
}
