use std::cell::Cell;

use cardoon_core::RetryPolicy;
use cardoon_core::lease::LeaseTerms;
use cardoon_errors::{Code, Error, Result};
use cardoon_settings::{Ack, Flag, Settings};
use cardoon_worker::{AckMode, TaskDefinition, Worker, WorkerExit};
use clap::ValueEnum;

use crate::arguments::flag;
use crate::exit::Exit;
use crate::input;
use crate::output::clean;
use crate::session::{self, Session};
use crate::signals::Signals;
use crate::stores::Stores;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Queues to take from, in turn: mail,low
    #[arg(short = 'Q', long)]
    queues: Option<String>,
    /// Tasks to execute at once
    #[arg(short, long, value_name = "N")]
    concurrency: Option<String>,
    /// The worker's name, for people
    #[arg(short, long)]
    name: Option<String>,
    /// Publish events also while nobody listens
    #[arg(short = 'E', long)]
    events: bool,
    /// Execute the built-in tasks: cardoon.noop, echo, add, sleep, block, fail
    #[arg(long)]
    builtin: bool,
    /// How long running tasks may take to finish after the first signal
    #[arg(long, value_name = "TIME")]
    grace: Option<String>,
    /// End tasks that run longer
    #[arg(long, value_name = "TIME")]
    time_limit: Option<String>,
    /// Tell tasks that run longer
    #[arg(long, value_name = "TIME")]
    soft_time_limit: Option<String>,
    /// What to log
    #[arg(short, long, value_name = "LEVEL", ignore_case = true)]
    loglevel: Option<Level>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Level {
    Debug,
    Info,
    #[value(alias = "warn")]
    Warning,
    #[value(aliases = ["critical", "fatal"])]
    Error,
}

impl Options {
    pub(super) fn flags(&self) -> Vec<Flag> {
        let events = self.events.then_some("true");
        [
            flag("worker.queues", "--queues", self.queues.as_deref()),
            flag("worker.concurrency", "--concurrency", self.concurrency.as_deref()),
            flag("worker.name", "--name", self.name.as_deref()),
            flag("worker.events", "--events", events),
            flag("worker.grace", "--grace", self.grace.as_deref()),
            flag("worker.time_limit", "--time-limit", self.time_limit.as_deref()),
            flag("worker.soft_time_limit", "--soft-time-limit", self.soft_time_limit.as_deref()),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    pub(super) fn log_level(&self, usual: &'static str) -> &'static str {
        match self.loglevel {
            None => usual,
            Some(Level::Debug) => "debug",
            Some(Level::Info) => "info",
            Some(Level::Warning) => "warn",
            Some(Level::Error) => "error",
        }
    }
}

pub(crate) async fn run(session: &Session, options: &Options) -> Result<Exit> {
    if !options.builtin {
        return Err(no_tasks());
    }
    let signals = Signals::listen()?;
    let stores = session.connect().await?;
    let worker = build(&session.settings, &stores)?;
    introduce(session, &stores);
    until_told(worker, &stores, signals).await
}

/// Says what the worker works on.
pub(super) fn introduce(session: &Session, stores: &Stores) {
    session.talk.say(format!("database  {}", stores.location));
    session.talk.say(format!("queues    {}", clean(&session.settings.worker.queues.join(", "))));
}

/// Runs `worker` until signals have ended it, then closes its stores.
pub(super) async fn until_told(worker: Worker, stores: &Stores, mut signals: Signals) -> Result<Exit> {
    let handle = worker.handle();
    let asked = Cell::new(Exit::Done);
    let mut run = Box::pin(worker.run());
    let ended = tokio::select! {
        ended = &mut run => ended,
        () = signals.drive(&handle, &asked) => run.await,
    };
    stores.close().await;
    match ended? {
        WorkerExit::Drained => Ok(asked.get()),
        WorkerExit::SlotsLost => {
            tracing::warn!("too many tasks ignore their time limits: this process is replaced");
            Ok(Exit::Replace)
        }
    }
}

/// A worker with the built-in tasks, as the settings ask for it.
pub(super) fn build(settings: &Settings, stores: &Stores) -> Result<Worker> {
    let it = &settings.worker;
    let queues = it.queues.iter().map(|queue| input::queue_name(queue)).collect::<Result<Vec<_>>>()?;
    let mut builder = Worker::builder(stores.broker.clone(), stores.results.clone(), stores.joined)
        .queues(queues)
        .tasks(cardoon::builtin::all().into_iter().map(|task| with_defaults(task, settings)))
        .terms(LeaseTerms { lease: it.lease, heartbeat: it.heartbeat })
        .grace(it.grace)
        .limits(session::limits(settings))
        .events(it.events);
    if let Some(slots) = it.concurrency {
        builder = builder.concurrency(slots.get());
    }
    if let Some(name) = &it.name {
        builder = builder.name(name.clone());
    }
    builder.build()
}

/// What the settings say of all tasks.
fn with_defaults(mut task: TaskDefinition, settings: &Settings) -> TaskDefinition {
    let options = &mut task.options;
    options.soft_time_limit = options.soft_time_limit.or(settings.worker.soft_time_limit);
    options.time_limit = options.time_limit.or(settings.worker.time_limit);
    options.ack = match settings.worker.ack {
        Ack::Late => AckMode::Late,
        Ack::Early => AckMode::Early,
    };
    options.retry = RetryPolicy {
        max_retries: settings.retry.max,
        base: settings.retry.base,
        cap: settings.retry.cap,
        jitter: settings.retry.jitter,
        ..options.retry.clone()
    };
    task
}

fn no_tasks() -> Error {
    Error::new(Code::NoTasks, "`cardoon worker` knows none of your tasks: they live in your own program")
        .checked("--builtin was not given")
        .hint("start your own binary, or try the built-in tasks: cardoon worker --builtin")
}
