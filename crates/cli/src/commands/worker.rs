use std::cell::Cell;

use cardoon::{App, Worker, WorkerBuilder, WorkerExit};
use cardoon_errors::{Code, Error, Result};
use cardoon_settings::{Flag, Settings};
use clap::ValueEnum;

use super::{beat, python};
use crate::arguments::flag;
use crate::exit::Exit;
use crate::output::clean;
use crate::session::Session;
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
    #[arg(short, long, alias = "hostname")]
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

    pub(super) fn log_level(&self, usual: &'static str) -> &'static str {
        self.loglevel.map_or(usual, Level::text)
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
    let stores = session.connect().await?;
    let worker = build(&session.settings, &stores).build()?;
    introduce(session, &session.settings.worker.queues, &stores);
    until_told(worker, &stores, signals).await
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
