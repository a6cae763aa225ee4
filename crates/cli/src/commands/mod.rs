//! The commands, one file each.

mod assess;
mod beat;
mod bench;
mod completions;
mod data;
#[cfg(unix)]
mod db;
mod dead;
mod demo;
mod dev;
mod doctor;
mod events;
mod explain;
mod gateway;
mod handback;
mod health;
mod migrate;
mod python;
mod queue;
mod reload;
mod send;
mod service;
mod settings;
mod task;
mod top;
mod verify;
mod worker;
mod workers;

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
    /// Serve tasks over HTTP
    Gateway(gateway::Options),
    /// Send a task by its name
    Send(send::Options),
    /// Look after tasks
    #[command(subcommand)]
    Task(task::Command),
    /// Look after queues
    #[command(subcommand)]
    Queue(queue::Command),
    /// Look after workers
    #[command(subcommand)]
    Workers(workers::Command),
    /// Find out why something does not work: asks the stores, the queues and the workers
    Doctor,
    /// Look after messages that could not be executed
    #[command(subcommand)]
    Dead(dead::Command),
    /// Look after the database: check it, copy it, give its free space back
    #[cfg(unix)]
    #[command(subcommand)]
    Db(db::Command),
    /// Say what will differ for an application of Celery: cardoon assess -A proj
    Assess,
    /// Leave the queues to Celery: return what only Cardoon understands to where Celery takes it from
    Handback(handback::Options),
    /// Move everything from one store to another
    Migrate(migrate::Options),
    /// Follow what happens
    Events(events::Options),
    /// Watch queues and workers in the terminal
    Top(top::Options),
    /// Say whether a worker lives, for probes: exit status 0 if one does
    Health(health::Options),
    /// Query files with SQL: CSV, Parquet and JSON lines, larger than the memory
    Data(data::Options),
    /// Measure throughput and latency, by default on a database of its own
    Bench(bench::Options),
    /// See it work: real worker processes, real mails
    #[command(subcommand)]
    Demo(demo::Command),
    /// Verify your system: how fast several workers are, what dies with one, whether two nodes agree
    Verify(verify::Options),
    #[command(hide = true)]
    VerifyNode(verify::NodeOptions),
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
            Self::Worker(options) => [options.flags(), verify::worker_flags()].concat(),
            Self::Beat(options) => options.flags(),
            Self::Gateway(options) => options.flags(),
            Self::Bench(options) => options.flags(),
            _ => Vec::new(),
        }
    }
}

/// Carries out the command line.
pub(crate) async fn run(arguments: Arguments) -> Result<Exit> {
    let level = match &arguments.command {
        Command::Worker(_) | Command::Dev(_) | Command::Beat(_) | Command::Gateway(_) => "info",
        _ => "warn",
    };
    let _service = match &arguments.command {
        Command::Worker(options) => Some(options.service.begin()?),
        Command::Beat(options) => Some(options.service.begin()?),
        Command::Gateway(options) => Some(options.service.begin()?),
        _ => None,
    };
    let _log = log::start(&arguments, level);
    let output = || Output::new(arguments.output(), arguments.language());
    match &arguments.command {
        // These need no settings, so that broken ones do not stand in their way.
        Command::Assess => assess::run(&Session::begin(&arguments)?, arguments.output()),
        Command::Doctor => doctor::run(&arguments).await,
        Command::Explain(options) => explain::run(options, &output()),
        Command::Completions(options) => completions::run(options, &output()),
        Command::Data(options) => data::run(options, arguments.language()),
        Command::Dev(options) => dev::run(&Session::begin(&arguments)?, options).await,
        Command::Worker(options) => {
            verify::with_verification(Box::pin(worker::run(&Session::begin(&arguments)?, options))).await
        }
        // These handle signals themselves.
        Command::Beat(options) => beat::run(&Session::begin(&arguments)?, options).await,
        Command::Migrate(options) => migrate::run(&Session::begin(&arguments)?, options).await,
        Command::Demo(demo::Command::MailWorker(options)) => demo::run_worker(options).await,
        Command::Gateway(options) => gateway_at_stores(Session::begin(&arguments)?, options).await,
        Command::Verify(options) => verify_at_stores(Session::begin(&arguments)?, options).await,
        Command::VerifyNode(options) => verify::run_node(options).await,
        command => interruptible(Session::begin(&arguments)?, command).await,
    }
}

async fn gateway_at_stores(session: Session, options: &gateway::Options) -> Result<Exit> {
    gateway::run(&python::at_stores_of_application(session).await?, options).await
}

async fn verify_at_stores(session: Session, options: &verify::Options) -> Result<Exit> {
    verify::run(&python::at_stores_of_application(session).await?, options).await
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
        | Command::Workers(_)
        | Command::Dead(_)
        | Command::Handback(_)
        | Command::Events(_)
        | Command::Top(_) => python::at_stores_of_application(session).await?,
        #[cfg(unix)]
        Command::Db(_) => python::at_stores_of_application(session).await?,
        _ => session,
    };
    dispatch(&session, command).await
}

async fn dispatch(session: &Session, command: &Command) -> Result<Exit> {
    match command {
        Command::Send(options) => send::run(session, options).await,
        Command::Task(command) => task::run(session, command).await,
        Command::Queue(command) => queue::run(session, command).await,
        Command::Workers(command) => workers::run(session, command).await,
        Command::Dead(command) => dead::run(session, command).await,
        #[cfg(unix)]
        Command::Db(command) => db::run(session, command).await,
        Command::Handback(options) => handback::run(session, options).await,
        Command::Events(options) => events::run(session, options).await,
        Command::Top(options) => top::run(session, options).await,
        Command::Health(options) => health::run(session, options).await,
        Command::Bench(options) => bench::run(session, options).await,
        Command::Demo(command) => demo::run(session, command).await,
        Command::Settings(command) => settings::run(session, command),
        Command::Dev(_)
        | Command::Worker(_)
        | Command::Beat(_)
        | Command::Gateway(_)
        | Command::Migrate(_)
        | Command::Verify(_)
        | Command::VerifyNode(_)
        | Command::Assess
        | Command::Doctor
        | Command::Explain(_)
        | Command::Completions(_)
        | Command::Data(_) => Ok(Exit::Done),
    }
}
