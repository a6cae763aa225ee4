//! Measures the rates of tasks on SQLite, beside bare loops of the same SQL and beside huey, and writes
//! `docs/benchmarks.md`. Run it with `cargo xtask bench tasks`.
//!
//! Every worker is a process of its own: this program, started again with the command `worker`.
#![expect(clippy::print_stdout, reason = "a benchmark says how far it is")]

mod bare;
mod fixture;
mod huey;
mod machine;
mod median;
mod page;
mod process;
mod rows;
mod stopwatch;
mod worker;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};

use crate::page::Row;
use crate::rows::{backlog, drain, idle, open_loop, send, two};

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
}

#[derive(Args)]
struct Options {
    /// Runs of each measurement; the median counts
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// Only these: drain, two, send, open-loop, idle, backlog. Then the page is printed and not written
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Where the databases are made; by default the folder for temporary files
    #[arg(long)]
    folder: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> Result<()> {
    let cli = Cli::parse();
    match cli.command {
        Some(Command::Worker(options)) => worker::run(options).await,
        None => measure(&cli.options).await,
    }
}

async fn measure(options: &Options) -> Result<()> {
    if let Some(folder) = &options.folder {
        fixture::use_folder(folder)?;
    }
    let wanted = |name: &str| options.only.is_empty() || options.only.iter().any(|only| only == name);
    let load = machine::load();
    let mut rows = Vec::new();
    if wanted("drain") || wanted("backlog") {
        let drain = drain::measure(options.runs).await?;
        show(&mut rows, drain.rows());
        if wanted("backlog") {
            show(&mut rows, backlog::measure(options.runs, drain.rate()).await?);
        }
    }
    if wanted("open-loop") {
        show(&mut rows, open_loop::measure(options.runs).await?);
    }
    if wanted("two") {
        show(&mut rows, two::measure(options.runs).await?);
    }
    if wanted("send") {
        show(&mut rows, send::measure(options.runs).await?);
    }
    if wanted("idle") {
        show(&mut rows, idle::measure(options.runs).await?);
    }
    page::publish(&rows, options.runs, &load, options.only.is_empty())
}

fn show(rows: &mut Vec<Row>, measured: Vec<Row>) {
    for row in &measured {
        println!("{}", row.line());
    }
    rows.extend(measured);
}
