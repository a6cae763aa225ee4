use std::time::Duration;

use cardoon_core::QueueName;
use cardoon_errors::Result;

use super::node::Spec;
use super::{Site, Urls, Work};
use crate::WorkerProcess;

/// How long workers may take to be ready, and to end.
pub(super) const PATIENCE: Duration = Duration::from_mins(1);
const LOOK: Duration = Duration::from_millis(5);

/// The worker processes of one run; killed with their owner.
pub(super) struct Fleet<'a> {
    site: &'a Site,
    work: &'a Work,
    urls: Urls,
    slots: u32,
    witness: std::path::PathBuf,
    pub(super) workers: Vec<WorkerProcess>,
}

impl<'a> Fleet<'a> {
    /// Starts workers that reach the stores at `urls`, and waits until they take tasks.
    pub(super) async fn start(
        site: &'a Site,
        work: &'a Work,
        urls: Urls,
        workers: u32,
        slots: u32,
    ) -> Result<Self> {
        let witness = site.new_file("witness");
        let mut fleet = Self { site, work, urls, slots, witness, workers: Vec::new() };
        for _ in 0..workers {
            let worker = fleet.spawn()?;
            fleet.workers.push(worker);
        }
        fleet.ready().await?;
        Ok(fleet)
    }

    /// Where the tasks of these workers testify.
    pub(super) fn witness(&self) -> &std::path::Path {
        &self.witness
    }

    /// Puts a new worker in the place of one that has ended, and waits until it takes tasks.
    pub(super) async fn replace(&mut self, index: usize) -> Result<()> {
        self.put_away(index)?;
        self.ready().await
    }

    /// Puts a new worker in the place of one that has ended, and answers the old one.
    pub(super) fn put_away(&mut self, index: usize) -> Result<WorkerProcess> {
        let new = self.spawn()?;
        Ok(std::mem::replace(&mut self.workers[index], new))
    }

    /// Has all workers end when they have nothing left to do.
    pub(super) async fn stop(mut self) -> Result<()> {
        self.workers.iter().try_for_each(WorkerProcess::terminate)?;
        for worker in &mut self.workers {
            worker.wait(PATIENCE).await?;
        }
        Ok(())
    }

    /// An error if a worker has ended that nobody has told to.
    pub(super) fn check(&mut self) -> Result<()> {
        let ended =
            self.workers.iter_mut().find_map(|worker| worker.ended().map(|_| worker.failed("it ended")));
        ended.map_or(Ok(()), Err)
    }

    fn spawn(&self) -> Result<WorkerProcess> {
        let name = format!("{}-worker-{}", self.site.queue, self.site.number());
        let command = self.command(&name)?;
        WorkerProcess::spawn(&name, command, self.site.folder(), self.site.clock.clone())
    }

    fn command(&self, name: &str) -> Result<std::process::Command> {
        let (queue, slots) = (self.site.queue.as_str(), self.slots);
        if let Work::Own(_) = self.work {
            let mut command = self.site.nodes.own_worker.command(&self.urls);
            command.args(["--queues", queue, "--name", name, "--concurrency", &slots.to_string()]);
            return Ok(command);
        }
        let witness = self.witness.clone();
        let spec = Spec::Worker { name: name.to_owned(), queue: queue.to_owned(), slots, witness };
        self.site.nodes.node.ordered(&self.urls, &spec)
    }

    /// Waits until all workers take tasks.
    pub(super) async fn ready(&mut self) -> Result<()> {
        let patience = self.site.clock.boot().plus(PATIENCE);
        while !self.all_take_tasks().await? {
            self.check()?;
            if self.site.clock.boot() > patience {
                return Err(self.workers[0].failed("the workers did not get ready"));
            }
            self.site.clock.sleep(LOOK).await;
        }
        Ok(())
    }

    async fn all_take_tasks(&self) -> Result<bool> {
        let members = self.site.stores().broker.inspect().members().await?;
        let takes = |worker: &WorkerProcess| {
            members
                .iter()
                .any(|member| member.worker == worker.name() && has(&member.queues, &self.site.queue))
        };
        Ok(self.workers.iter().all(takes))
    }
}

fn has(queues: &[QueueName], queue: &QueueName) -> bool {
    queues.contains(queue)
}
