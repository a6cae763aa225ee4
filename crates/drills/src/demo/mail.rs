use std::collections::HashSet;
use std::time::Duration;

use cardoon::{App, Settings};
use cardoon_core::{BootInstant, TaskId};
use cardoon_errors::{Code, Error, Result};
use cardoon_runtime::Clock;

use super::folder::Folder;
use super::task::send_mail;
use super::{KillReport, MailOptions, MailProgress, MailReport};
use crate::{SmtpSink, Testimony, WorkerProcess};

/// How long workers may take to be ready, and to end.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often the workers are looked after while mails arrive.
const LOOK: Duration = Duration::from_millis(200);

/// Sends mails over worker processes, on a database of its own unless a broker is named, and counts them where they arrive.
///
/// Errors: `CD5002` if a worker cannot be started or all have died, and what the store answers. A mail that is
/// missing is no error here: ask [`MailReport::verdict`].
pub async fn mail(options: &MailOptions, progress: &(dyn Fn(MailProgress) + Sync)) -> Result<MailReport> {
    let demo = Demo::prepare(options).await?;
    let mut workers = demo.start_workers().await?;
    let tasks = demo.send().await?;
    progress(MailProgress::Sent);
    let killed = demo.watch(&mut workers, progress).await?;
    demo.wait_for_ends(&tasks.ids).await?;
    for worker in &mut workers {
        worker.stop(PATIENCE).await?;
    }
    demo.report(&tasks, killed)
}

/// What one run works with.
struct Demo<'a> {
    options: &'a MailOptions,
    clock: Clock,
    folder: Folder,
    queue: String,
    sink: SmtpSink,
    app: App,
    deadline: BootInstant,
}

/// The tasks, and when they could begin.
struct Sent {
    ids: Vec<TaskId>,
    due: BootInstant,
}

/// A worker that was killed.
struct Killed {
    worker: String,
    pid: u32,
    at: BootInstant,
    arrived: u64,
}

impl<'a> Demo<'a> {
    async fn prepare(options: &'a MailOptions) -> Result<Self> {
        let clock = Clock::real();
        let folder = Folder::create(options.folder.as_deref(), options.slots)?;
        let sink = SmtpSink::start(clock.clone()).await?;
        let queue = folder.queue()?;
        let broker = options.broker.clone().unwrap_or_else(|| folder.url());
        let app = App::builder().broker(broker).settings(Settings::default()).open().await?;
        let work = options.one_slot().saturating_mul(2).saturating_add(Duration::from_mins(2));
        let deadline = clock.boot().plus(options.delay).plus(work);
        Ok(Self { options, clock, folder, queue, sink, app, deadline })
    }

    /// Starts the worker processes and waits until all take tasks.
    async fn start_workers(&self) -> Result<Vec<WorkerProcess>> {
        let start = |number| {
            let name = format!("mail-worker-{number}");
            let broker = self.options.broker.as_deref();
            let command = self.options.worker.command(self.folder.path(), &name, broker);
            WorkerProcess::spawn(&name, command, self.folder.path(), self.clock.clone())
        };
        let mut workers = (1..=self.options.workers).map(start).collect::<Result<Vec<_>>>()?;
        let patience = self.clock.boot().plus(PATIENCE);
        while self.ready_workers().await? < workers.len() {
            let mut looked_after = workers.iter_mut();
            let died =
                looked_after.find_map(|worker| worker.ended().map(|_| worker.failed("it took no task")));
            died.map_or(Ok(()), Err)?;
            if self.clock.boot() > patience {
                return Err(workers[0].failed("the workers did not get ready"));
            }
            self.clock.sleep(Duration::from_millis(5)).await;
        }
        Ok(workers)
    }

    async fn ready_workers(&self) -> Result<usize> {
        let members = self.app.stores().broker.inspect().members().await?;
        let queues = members.iter().map(|member| &member.queues);
        Ok(queues.filter(|queues| queues.iter().any(|queue| queue.as_str() == self.queue)).count())
    }

    async fn send(&self) -> Result<Sent> {
        let due = self.clock.boot().plus(self.options.delay);
        let seconds = self.options.duration.as_secs_f64();
        let signature = |index| {
            let signature = send_mail::signature(MailOptions::recipient(index), seconds, self.sink.address());
            let signature = signature.queue(&self.queue);
            if self.options.delay.is_zero() { signature } else { signature.countdown(self.options.delay) }
        };
        let handles = self.app.send_many((0..self.options.mails).map(signature)).await?;
        Ok(Sent { ids: handles.iter().map(|handle| handle.id().clone()).collect(), due })
    }

    /// Follows the mails until all have arrived or time is up, and kills a worker at half of them if asked to.
    async fn watch(
        &self,
        workers: &mut [WorkerProcess],
        progress: &(dyn Fn(MailProgress) + Sync),
    ) -> Result<Option<Killed>> {
        let mails = u64::from(self.options.mails);
        let mut killed = None;
        let mut arrived = 0;
        while arrived < mails && self.clock.boot() < self.deadline {
            arrived = self.sink.wait_for(LOOK, |count| count.distinct > arrived).await.distinct;
            progress(MailProgress::Arrived(arrived));
            if self.options.kill_worker && killed.is_none() && arrived * 2 >= mails {
                killed = Some(self.kill(&mut workers[0], arrived).await?);
                progress(MailProgress::Killed(workers[0].name().to_owned()));
            }
            if workers.iter_mut().all(|worker| worker.ended().is_some()) {
                return Err(workers[0].failed("no worker is left"));
            }
        }
        Ok(killed)
    }

    async fn kill(&self, worker: &mut WorkerProcess, arrived: u64) -> Result<Killed> {
        let at = worker.kill_and_wait().await?;
        Ok(Killed { worker: worker.name().to_owned(), pid: worker.pid(), at, arrived })
    }

    /// Waits until the store says of each task that it has ended, or time is up.
    async fn wait_for_ends(&self, ids: &[TaskId]) -> Result<()> {
        for id in ids {
            let left = self.deadline.since(self.clock.boot());
            self.app.stores().results.wait(id, Some(left)).await?;
        }
        Ok(())
    }

    fn report(&self, sent: &Sent, killed: Option<Killed>) -> Result<MailReport> {
        let testimony = Testimony::read(&self.folder.witness())
            .map_err(|error| Error::new(Code::DrillFailed, "cannot read the witness's file").source(error))?;
        let last_end = testimony.ends().map(|entry| entry.at).max().unwrap_or_else(|| self.clock.boot());
        let arrived = self.sink.by_recipient();
        let recipients = (0..self.options.mails).map(MailOptions::recipient);
        Ok(MailReport {
            mails: self.options.mails,
            workers: self.options.workers,
            slots: self.options.slots,
            took: last_end.since(sent.due),
            one_slot: self.options.one_slot(),
            count: self.sink.count(),
            lost: recipients.filter(|recipient| !arrived.contains_key(recipient)).collect(),
            kill: killed.map(|killed| killed.report(&testimony)),
            database: self.options.broker.is_none().then(|| self.folder.kept_database()).flatten(),
        })
    }
}

impl Killed {
    fn report(self, testimony: &Testimony) -> KillReport {
        let unfinished: HashSet<_> = testimony.unfinished_of(self.pid);
        let second = testimony.next_start(&unfinished, self.pid, self.at);
        KillReport {
            worker: self.worker,
            arrived: self.arrived,
            started: unfinished.len() as u64,
            second_run_after: second.map(|second| second.since(self.at)),
        }
    }
}
