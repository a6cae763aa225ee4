//! The commands, one file each.

mod assess;
mod beat;
mod bench;
mod completions;
mod dead;
mod demo;
mod dev;
mod events;
mod explain;
mod handback;
mod migrate;
mod python;
mod queue;
mod reload;
mod send;
mod service;
mod settings;
mod task;
mod worker;

use cardoon_errors::Result;
use cardoon_settings::Flag;
use clap::Subcommand;

use crate::arguments::Arguments;
use crate::exit::Exit;
use crate::log;
use crate::output::Output;
use crate::session::Session;
use crate::signals::Signals;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start everything for development: a worker with the built-in tasks, and its events as they happen
    Dev(dev::Options),
    /// Start a worker: of a Python application with -A, or with the built-in tasks
    Worker(worker::Options),
    /// Send the periodic tasks of a Python application
    Beat(beat::Options),
    /// Send a task by its name
    Send(send::Options),
    /// Look after tasks
    #[command(subcommand)]
    Task(task::Command),
    /// Look after queues
    #[command(subcommand)]
    Queue(queue::Command),
    /// Look after messages that could not be executed
    #[command(subcommand)]
    Dead(dead::Command),
    /// Say what will differ for an application of Celery: cardoon assess -A proj
    Assess,
    /// Leave the queues to Celery: return what only Cardoon understands to where Celery takes it from
    Handback(handback::Options),
    /// Move everything from one store to another
    Migrate(migrate::Options),
    /// Follow what happens
    Events(events::Options),
    /// Measure throughput and latency, by default on a database of its own
    Bench(bench::Options),
    /// See it work: real worker processes, real mails
    #[command(subcommand)]
    Demo(demo::Command),
    /// Look at the settings
    #[command(subcommand)]
    Settings(settings::Command),
    /// Explain an error code; without one, list them
    Explain(explain::Options),
    /// Write the completions of a shell
    Completions(completions::Options),
}

impl Command {
    /// What the options of the command set of the settings.
    pub(crate) fn flags(&self) -> Vec<Flag> {
        match self {
            Self::Dev(options) => options.worker.flags(),
            Self::Worker(options) => options.flags(),
            Self::Bench(options) => options.flags(),
            _ => Vec::new(),
        }
    }
}

/// Carries out the command line.
pub(crate) async fn run(arguments: Arguments) -> Result<Exit> {
    let level = match &arguments.command {
        Command::Worker(options) => options.log_level("info"),
        Command::Dev(options) => options.worker.log_level("info"),
        Command::Beat(options) => options.log_level("info"),
        _ => "warn",
    };
    let _service = match &arguments.command {
        Command::Worker(options) => Some(options.service.begin()?),
        Command::Beat(options) => Some(options.service.begin()?),
        _ => None,
    };
    log::start(&arguments.global, level);
    let output = || Output::new(arguments.output(), arguments.language());
    match &arguments.command {
        // These need no settings, so that broken ones do not stand in their way.
        Command::Assess => assess::run(&Session::begin(&arguments)?, arguments.output()),
        Command::Explain(options) => explain::run(options, &output()),
        Command::Completions(options) => completions::run(options, &output()),
        Command::Dev(options) => dev::run(&Session::begin(&arguments)?, options).await,
        Command::Worker(options) => worker::run(&Session::begin(&arguments)?, options).await,
        // These handle signals themselves.
        Command::Beat(options) => beat::run(&Session::begin(&arguments)?, options).await,
        Command::Migrate(options) => migrate::run(&Session::begin(&arguments)?, options).await,
        Command::Demo(demo::Command::MailWorker(options)) => demo::run_worker(options).await,
        command => interruptible(Session::begin(&arguments)?, command).await,
    }
}

/// Commands that an interrupt may end at any point.
async fn interruptible(session: Session, command: &Command) -> Result<Exit> {
    let mut signals = Signals::listen()?;
    tokio::select! {
        exit = dispatch_at_stores(session, command) => exit,
        _ = signals.next() => Ok(Exit::Interrupted),
    }
}

async fn dispatch_at_stores(session: Session, command: &Command) -> Result<Exit> {
    let session = match command {
        Command::Send(_)
        | Command::Task(_)
        | Command::Queue(_)
        | Command::Dead(_)
        | Command::Handback(_)
        | Command::Events(_) => python::at_stores_of_application(session).await?,
        _ => session,
    };
    dispatch(&session, command).await
}

async fn dispatch(session: &Session, command: &Command) -> Result<Exit> {
    match command {
        Command::Send(options) => send::run(session, options).await,
        Command::Task(command) => task::run(session, command).await,
        Command::Queue(command) => queue::run(session, command).await,
        Command::Dead(command) => dead::run(session, command).await,
        Command::Handback(options) => handback::run(session, options).await,
        Command::Events(options) => events::run(session, options).await,
        Command::Bench(options) => bench::run(session, options).await,
        Command::Demo(command) => demo::run(session, command).await,
        Command::Settings(command) => settings::run(session, command),
        Command::Dev(_)
        | Command::Worker(_)
        | Command::Beat(_)
        | Command::Migrate(_)
        | Command::Assess
        | Command::Explain(_)
        | Command::Completions(_) => Ok(Exit::Done),
    }
}
