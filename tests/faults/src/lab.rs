use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use bytes::Bytes;
use cardoon_broker::{DeadFilter, DeadLetter, Publish};
use cardoon_connect::Stores;
use cardoon_core::lease::LeaseTerms;
use cardoon_core::{Message, QueueName, ResultRecord, Signature, SignatureOptions, TaskId, TaskState};
use cardoon_drills::{Testimony, WorkerProcess};
use cardoon_runtime::{Clock, ids};
use cardoon_testkit::{RedisOptions, RedisServer};
use tempfile::TempDir;

use crate::stage::Store;
use crate::{Stage, WorkerSpec};

/// Nothing in a drill takes longer; what has not happened by then does not happen.
pub(crate) const PATIENCE: Duration = Duration::from_mins(3);
/// Between two looks.
const EVERY: Duration = Duration::from_millis(10);

/// What a look at a store or a process came to.
pub(crate) enum Look<T> {
    Found(T),
    /// What is missing, in words.
    Missing(String),
}

/// One drill's store, witness and worker processes. Ends them and removes its folder with its owner.
pub struct Lab {
    pub clock: Clock,
    pub stores: Stores,
    program: PathBuf,
    store: Store,
    replica: Option<RedisServer>,
    folder: TempDir,
}

impl Lab {
    pub async fn open(stage: Stage<'_>) -> anyhow::Result<Self> {
        let folder = folder()?;
        let store = stage.store.open(&folder).await?;
        Self::on(stage.program, folder, store).await
    }

    /// A lab on a database that is somewhere else than its other files.
    pub async fn on_database(program: &Path, database: PathBuf) -> anyhow::Result<Self> {
        Self::on(program, folder()?, Store::Sqlite(database)).await
    }

    /// A lab on a Redis server with these options.
    pub async fn on_redis(program: &Path, options: RedisOptions) -> anyhow::Result<Self> {
        Self::on(program, folder()?, Store::redis(options).await?).await
    }

    async fn on(program: &Path, folder: TempDir, store: Store) -> anyhow::Result<Self> {
        let clock = Clock::real();
        let stores = cardoon_connect::connect(&store.url(), None, &clock).await?;
        Ok(Self { clock, stores, program: program.to_owned(), store, replica: None, folder })
    }

    /// Connects to the store anew.
    pub async fn reconnect(&mut self) -> anyhow::Result<()> {
        self.reconnect_to(&self.store.url()).await
    }

    /// Connects to the store by another way.
    pub async fn reconnect_to(&mut self, url: &str) -> anyhow::Result<()> {
        self.stores = cardoon_connect::connect(url, None, &self.clock).await?;
        Ok(())
    }

    /// Gives the server a replica that has everything.
    pub async fn add_replica(&mut self) -> anyhow::Result<()> {
        let primary = self.redis()?;
        let replica = RedisServer::start_with(RedisOptions::default().replica_of(primary.port())).await?;
        primary.replicated().await?;
        self.replica = Some(replica);
        Ok(())
    }

    pub fn replica(&self) -> anyhow::Result<&RedisServer> {
        self.replica.as_ref().context("this lab has no replica")
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The file of a lab on SQLite.
    pub fn database(&self) -> anyhow::Result<&Path> {
        match &self.store {
            Store::Sqlite(database) => Ok(database),
            Store::Redis(_) => bail!("this lab has no file"),
        }
    }

    /// The server of a lab on Redis.
    pub fn redis(&self) -> anyhow::Result<&RedisServer> {
        match &self.store {
            Store::Redis(server) => Ok(server),
            Store::Sqlite(_) => bail!("this lab has no server"),
        }
    }

    pub fn redis_mut(&mut self) -> anyhow::Result<&mut RedisServer> {
        match &mut self.store {
            Store::Redis(server) => Ok(server),
            Store::Sqlite(_) => bail!("this lab has no server"),
        }
    }

    /// A worker of 4 slots with the default lease.
    pub fn spec(&self, name: impl Into<String>) -> WorkerSpec {
        let terms = LeaseTerms::default();
        WorkerSpec {
            name: name.into(),
            url: self.store.url(),
            witness: self.witness(),
            slots: 4,
            lease: terms.lease,
            heartbeat: terms.heartbeat,
            knows_new: false,
            trap: None,
            plant: None,
        }
    }

    /// The command line of a worker.
    pub fn command(&self, spec: &WorkerSpec) -> anyhow::Result<std::process::Command> {
        let mut command = std::process::Command::new(&self.program);
        command.arg("worker").arg(serde_json::to_string(spec)?);
        Ok(command)
    }

    /// The command line of one of this package's helpers.
    pub fn helper(&self, name: &str) -> std::process::Command {
        let mut command = std::process::Command::new(&self.program);
        command.arg(name);
        command
    }

    /// Starts a worker and does not wait for it.
    pub fn launch(&self, spec: &WorkerSpec) -> anyhow::Result<WorkerProcess> {
        self.spawn(&spec.name, self.command(spec)?)
    }

    pub fn spawn(&self, name: &str, command: std::process::Command) -> anyhow::Result<WorkerProcess> {
        Ok(WorkerProcess::spawn(name, command, self.folder(), self.clock.clone())?)
    }

    /// Starts a worker and waits until it takes tasks.
    pub async fn start(&self, spec: &WorkerSpec) -> anyhow::Result<WorkerProcess> {
        let worker = self.launch(spec)?;
        self.ready(worker).await
    }

    /// Waits until a worker takes tasks.
    pub async fn ready(&self, mut worker: WorkerProcess) -> anyhow::Result<WorkerProcess> {
        let ready = self.awaited(async || {
            let members = self.stores.broker.inspect().members().await?;
            let found = if members.iter().any(|member| member.pid == worker.pid()) {
                Look::Found(())
            } else if worker.ended().is_some() {
                anyhow::bail!(worker.failed("it ended before it took tasks"))
            } else {
                Look::Missing(format!("{} does not take tasks: {}", worker.name(), worker.stderr()))
            };
            Ok(found)
        });
        ready.await?;
        Ok(worker)
    }

    /// Sends `count` tasks that take `duration` each. All were acknowledged when this returns.
    pub async fn send(&self, task: &str, count: usize, duration: Duration) -> anyhow::Result<Vec<TaskId>> {
        let messages = (0..count).map(|_| message(task, duration)).collect::<anyhow::Result<Vec<_>>>()?;
        let ids = messages.iter().map(|message| message.id.clone()).collect();
        for published in self.publish(messages).await {
            published?;
        }
        Ok(ids)
    }

    /// Whether the store takes a write within `limit`.
    pub async fn can_write(&self, limit: Duration) -> anyhow::Result<bool> {
        let write = self.stores.broker.revoke(vec![ids::task_id()]);
        match tokio::time::timeout(limit, write).await {
            Ok(answers) => {
                answers.into_iter().try_for_each(|answer| answer.map(drop)).map(|()| true).map_err(Into::into)
            }
            Err(_) => Ok(false),
        }
    }

    /// Publishes messages as they are.
    pub async fn publish(
        &self,
        messages: Vec<Message>,
    ) -> Vec<cardoon_errors::Result<cardoon_broker::Published>> {
        let publish =
            |message| Publish { queue: QueueName::default(), message, not_before: None, resent: false };
        self.stores.broker.publish(messages.into_iter().map(publish).collect()).await
    }

    /// Waits until each task has its final record.
    pub async fn ends(&self, ids: &[TaskId], limit: Duration) -> anyhow::Result<Vec<ResultRecord>> {
        let end = self.clock.boot().plus(limit);
        let mut records = Vec::with_capacity(ids.len());
        for id in ids {
            let left = end.since(self.clock.boot());
            let record = self.stores.results.wait(id, Some(left)).await?;
            match record {
                Some(record) => records.push(record),
                None => bail!("task {id} did not end: {}", self.whereabouts(id).await?),
            }
        }
        Ok(records)
    }

    /// Waits until each task has ended, or nothing has ended for a while. Returns those that have not.
    pub async fn until_ended(&self, ids: &[TaskId]) -> anyhow::Result<Vec<TaskId>> {
        const SILENCE: Duration = Duration::from_secs(20);
        let mut lost = self.testimony()?.count(ids).lost;
        let mut last_end = self.clock.boot();
        while !lost.is_empty() && self.clock.boot().since(last_end) < SILENCE {
            self.clock.sleep(EVERY).await;
            let left = self.testimony()?.count(ids).lost;
            if left.len() < lost.len() {
                last_end = self.clock.boot();
            }
            lost = left;
        }
        Ok(lost)
    }

    /// Waits until each task has a record of success, a little. Returns how many have none.
    pub async fn until_recorded(&self, ids: &[TaskId]) -> anyhow::Result<usize> {
        let end = self.clock.boot().plus(Duration::from_secs(20));
        loop {
            let missing = self.without_success(ids).await?;
            if missing == 0 || self.clock.boot() > end {
                return Ok(missing);
            }
            self.clock.sleep(EVERY).await;
        }
    }

    /// Waits until no message is left in any queue.
    pub async fn drained(&self) -> anyhow::Result<()> {
        let drained = self.awaited(async || {
            let queues = self.stores.broker.inspect().queues().await?;
            let is_empty = queues.iter().all(|queue| queue.ready + queue.delayed + queue.held == 0);
            Ok(if is_empty { Look::Found(()) } else { Look::Missing(format!("not empty: {queues:?}")) })
        });
        drained.await
    }

    /// Waits until so many messages are in the dead letters.
    pub async fn until_dead(&self, count: usize) -> anyhow::Result<Vec<DeadLetter>> {
        let dead = self.awaited(async || {
            let dead = self.dead().await?;
            let missing = format!("{} of {count} messages are in the dead letters", dead.len());
            Ok(if dead.len() >= count { Look::Found(dead) } else { Look::Missing(missing) })
        });
        dead.await
    }

    /// Looks until something is found, which nobody tells of; an error, with what was missing last, if it never is.
    pub(crate) async fn awaited<T>(
        &self,
        mut look: impl AsyncFnMut() -> anyhow::Result<Look<T>>,
    ) -> anyhow::Result<T> {
        let end = self.clock.boot().plus(PATIENCE);
        loop {
            match look().await? {
                Look::Found(found) => return Ok(found),
                Look::Missing(what) if self.clock.boot() > end => bail!("waited in vain: {what}"),
                Look::Missing(_) => self.clock.sleep(EVERY).await,
            }
        }
    }

    /// How many of the tasks have no record of success.
    pub async fn without_success(&self, ids: &[TaskId]) -> anyhow::Result<usize> {
        let records = self.stores.results.get(ids).await?;
        let succeeded = |record: &&Option<ResultRecord>| {
            record.as_ref().is_some_and(|record| record.state == TaskState::Success)
        };
        Ok(ids.len() - records.iter().filter(succeeded).count())
    }

    /// All records of each task, oldest first.
    pub async fn histories(&self, ids: &[TaskId]) -> anyhow::Result<HashMap<TaskId, Vec<ResultRecord>>> {
        let mut histories = HashMap::new();
        for id in ids {
            histories.insert(id.clone(), self.stores.results.history(id).await?);
        }
        Ok(histories)
    }

    pub async fn dead(&self) -> anyhow::Result<Vec<DeadLetter>> {
        Ok(self.stores.broker.dead_letters().list(&DeadFilter::default(), usize::MAX >> 1).await?)
    }

    pub fn testimony(&self) -> anyhow::Result<Testimony> {
        Testimony::read(&self.witness()).context("cannot read the witness's file")
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

    fn witness(&self) -> PathBuf {
        self.folder.path().join("witness")
    }

    async fn whereabouts(&self, id: &TaskId) -> anyhow::Result<String> {
        let place = self.stores.broker.inspect().locate(id).await?;
        let dead = self.stores.broker.dead_letters().show(id).await?;
        Ok(format!("place {:?}, dead letter {dead:?}", place.map(|(_, place)| place)))
    }
}

fn folder() -> anyhow::Result<TempDir> {
    Ok(tempfile::Builder::new().prefix("cardoon-faults-").tempdir()?)
}

/// A message of a drill's task.
pub(crate) fn message(task: &str, duration: Duration) -> anyhow::Result<Message> {
    let args = serde_json::to_vec(&[duration.as_secs_f64()])?;
    let signature = Signature {
        task: task.to_owned(),
        args: args.into(),
        kwargs: Bytes::from_static(b"{}"),
        options: SignatureOptions::default(),
    };
    Ok(cardoon_protocol::encode(&signature, ids::task_id(), "faults")?)
}
