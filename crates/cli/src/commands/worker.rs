use std::cell::Cell;

use cardoon::{App, Worker, WorkerBuilder, WorkerExit};
use cardoon_errors::{Code, Error, Result};
use cardoon_settings::{Flag, Settings};
use clap::ValueEnum;

use super::{beat, python, service};
use crate::arguments::flag;
use crate::exit::Exit;
use crate::input;
use crate::output::clean;
use crate::session::Session;
use crate::signals::Signals;
use crate::stores::Stores;

#[derive(Debug, clap::Args)]
#[group(skip)]
pub(crate) struct Options {
    /// Queues to take from, in turn: mail,low
    #[arg(short = 'Q', long)]
    queues: Option<String>,
    /// Queues not to take from
    #[arg(short = 'X', long, value_name = "QUEUES", value_delimiter = ',')]
    exclude_queues: Vec<String>,
    /// Delete what waits in the queues before taking from them
    #[arg(long)]
    pub(super) purge: bool,
    /// Tasks to execute at once
    #[arg(short, long, value_name = "N")]
    concurrency: Option<String>,
    /// The worker's name, for people
    #[arg(short, long, alias = "hostname")]
    name: Option<String>,
    /// Publish events also while nobody listens
    #[arg(short = 'E', long, alias = "task-events")]
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
    #[command(flatten)]
    pub(super) service: service::ServiceOptions,
    #[command(flatten)]
    pub(super) beside: beat::BesideOptions,
    #[command(flatten)]
    pub(super) python: python::Options,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Level {
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
            flag("log.level", "--loglevel", self.loglevel.map(Level::text)),
            flag("worker.grace", "--grace", self.grace.as_deref()),
            flag("worker.time_limit", "--time-limit", seconds(self.time_limit.as_ref()).as_deref()),
            flag(
                "worker.soft_time_limit",
                "--soft-time-limit",
                seconds(self.soft_time_limit.as_ref()).as_deref(),
            ),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// Takes those of `--exclude-queues` out of the worker's queues.
    pub(super) fn leave_out_queues(&self, settings: &mut Settings) -> Result<()> {
        let queues = &mut settings.worker.queues;
        queues.retain(|queue| !self.exclude_queues.contains(queue));
        if queues.is_empty() {
            return Err(Error::new(Code::BadInput, "no queue is left to take from")
                .checked(format!("left out: {}", clean(&self.exclude_queues.join(", "))))
                .hint("name those to take from: --queues mail,low"));
        }
        Ok(())
    }
}

impl Level {
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warning => "warn",
            Self::Error => "error",
        }
    }
}

/// A length of time; a bare number means seconds, as on Celery's command line.
fn seconds(text: Option<&String>) -> Option<String> {
    let text = text?;
    Some(if text.parse::<f64>().is_ok() { format!("{text}s") } else { text.clone() })
}

pub(crate) async fn run(session: &Session, options: &Options) -> Result<Exit> {
    options.python.check_words()?;
    options.python.enter_workdir()?;
    if let Some(app) = &session.app {
        return match python::prepare(session, app, options, options.beside.beat).await? {
            Ok(ready) => ready.until_told().await,
            Err(exit) => Ok(exit),
        };
    }
    if !options.builtin {
        return Err(no_tasks());
    }
    if options.beside.beat {
        return Err(beat::needs_application());
    }
    let signals = Signals::listen()?;
    let mut settings = session.settings.clone();
    options.leave_out_queues(&mut settings)?;
    let stores = session.connect().await?;
    introduce(session, &settings.worker.queues, &stores);
    if options.purge {
        purge(session, &settings.worker.queues, &stores).await?;
    }
    let worker = build(&settings, &stores).build()?;
    until_told(worker, &stores, signals).await
}

/// Deletes what waits in the queues.
pub(super) async fn purge(session: &Session, queues: &[String], stores: &Stores) -> Result<()> {
    for queue in queues {
        let purged = stores.broker.inspect().purge(&input::queue_name(queue)?).await?;
        let queue = clean(queue);
        session.talk.say(
            format!("purged    {queue}: {purged} messages deleted"),
            format!("清空      {queue}：删除了 {purged} 条消息"),
        );
    }
    Ok(())
}

/// Says what the worker works on.
pub(super) fn introduce(session: &Session, queues: &[String], stores: &Stores) {
    let location = &stores.location;
    session.talk.say(format!("database  {location}"), format!("数据库    {location}"));
    let queues = clean(&queues.join(", "));
    session.talk.say(format!("queues    {queues}"), format!("队列      {queues}"));
}

/// Runs `worker` until signals have ended it, then closes its stores.
pub(super) async fn until_told(worker: Worker, stores: &Stores, mut signals: Signals) -> Result<Exit> {
    let handle = worker.handle();
    let asked = Cell::new(Exit::Done);
    let mut run = Box::pin(worker.run_until(std::future::pending::<()>()));
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
pub(super) fn build(settings: &Settings, stores: &Stores) -> WorkerBuilder {
    let app = App::builder().settings(settings.clone()).with_stores(stores.clone().into());
    Worker::builder(&app).builtins()
}

fn no_tasks() -> Error {
    Error::new(Code::NoTasks, "`cardoon worker` knows none of your tasks: they live in your own program")
        .checked("neither --app nor --builtin was given")
        .hint("Python: cardoon worker -A tasks; Rust: start your own binary; to try it out: cardoon worker --builtin")
}
