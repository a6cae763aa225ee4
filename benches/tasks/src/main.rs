//! Measures the rates of tasks, beside bare loops of the same commands and beside other task queues, and what the command
//! costs that serves and examines them, and writes `docs/benchmarks.md`. Run it with `cargo xtask bench tasks`.
//!
//! Every worker is a process of its own: this program, started again with the command `worker`.
#![expect(clippy::print_stdout, reason = "a benchmark says how far it is")]

mod cache;
mod http;
mod page;
mod process;
mod rows;
mod sides;
mod stopwatch;
mod stores;
mod worker;

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::page::{Section, Table};
use crate::rows::{gateway, python, redis, sqlite};

#[derive(Parser)]
#[command(args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    options: Options,
}

#[derive(Subcommand)]
enum Command {
    /// One worker process of a measurement.
    #[command(hide = true)]
    Worker(worker::Options),
    /// Sends no-ops, for a look at a sender or a worker with a profiler.
    #[command(hide = true)]
    Fill {
        url: String,
        count: usize,
        #[arg(long)]
        ignore_result: bool,
        #[arg(long)]
        one_at_a_time: bool,
    },
}

#[derive(Args)]
struct Options {
    /// Where the tasks are. Redis is a server that the benchmark starts; other task queues are installed beside it
    #[arg(long, value_enum, default_value_t = Broker::Sqlite)]
    broker: Broker,
    /// The Python package, on Redis and SQLite, beside other task queues for Python
    #[arg(long, conflicts_with = "broker", requires = "wheel")]
    python: bool,
    /// The wheel of the Python package; the command of the repository builds it
    #[arg(long, requires = "python")]
    wheel: Option<PathBuf>,
    /// The built command: tasks over HTTP on Redis and SQLite, a long history, and the doctor
    #[arg(long, conflicts_with_all = ["broker", "python"])]
    gateway: bool,
    /// Runs of each measurement; the median counts
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// Only these. Then the page is printed and not written.
    /// SQLite: drain, two, send, open-loop, idle, backlog.
    /// Redis: drain, celery, peers, send, wait, open-loop, slow-line, backlog,
    /// streams.
    /// Python: drain, sqlite, send, wait, idle, faults, asyncio.
    /// Gateway: post, readers, idle, history, doctor
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Where the databases are made; by default the folder for temporary files
    #[arg(long)]
    folder: Option<PathBuf>,
}

/// Where the tasks are.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Broker {
    Sqlite,
    Redis,
}

#[tokio::main]
async fn main() -> Result<()> {
    let cli = Cli::parse();
    match cli.command {
        Some(Command::Worker(options)) => worker::run(options).await,
        Some(Command::Fill { url, count, ignore_result, one_at_a_time }) => {
            let app = cardoon::App::connect(&url).await?;
            let each = if one_at_a_time { 1 } else { count };
            for _ in 0..count / each {
                stores::redis::add_noops(&app, each, ignore_result, None).await?;
            }
            stores::redis::close(app).await
        }
        None => measure(cli.options).await,
    }
}

async fn measure(options: Options) -> Result<()> {
    if let Some(folder) = &options.folder {
        stores::use_folder(folder)?;
    }
    let section = match options.broker {
        _ if options.python => Section::Python,
        _ if options.gateway => Section::Gateway,
        Broker::Sqlite => Section::Sqlite,
        Broker::Redis => Section::Redis,
    };
    let names = match section {
        Section::Sqlite => sqlite::NAMES,
        Section::Redis => redis::NAMES,
        Section::Python => python::NAMES,
        Section::Gateway => gateway::NAMES,
    };
    let mut table = Table::new(section, options.runs, options.only, names)?;
    match section {
        Section::Sqlite => sqlite::measure(&mut table).await?,
        Section::Redis => redis::measure(&mut table).await?,
        Section::Python => {
            let wheel = options.wheel.context("there is no wheel")?;
            python::measure(&mut table, &wheel).await?;
        }
        Section::Gateway => gateway::measure(&mut table).await?,
    }
    table.publish()
}
