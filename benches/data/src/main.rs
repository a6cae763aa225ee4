//! Measures what queries over files cost, beside other engines and beside the mere reading of the files, and writes the
//! part on data of `docs/benchmarks.md`. Run it with `cargo xtask bench data`.
//!
//! Every query is a process of its own, ours as well: no engine is linked into this program.
#![expect(clippy::print_stdout, reason = "a benchmark says how far it is")]

mod answer;
mod calls;
mod family;
mod inputs;
mod large;
mod limit;
mod means;
mod part;
mod process;
mod queries;
mod report;
mod rounds;
mod stopwatch;
mod systems;
mod tables;
mod wanted;

use std::path::PathBuf;

use anyhow::{Result, ensure};
use cardoon_bench_common::machine;
use clap::Parser;

use crate::calls::Calls;
use crate::inputs::Inputs;
use crate::large::Large;
use crate::part::Part;
use crate::report::{Logs, Report, Tpch};
use crate::systems::{Ballista, Cardoon};
use crate::wanted::Wanted;

#[derive(Parser)]
struct Options {
    /// The program that is measured; the command of the repository builds it
    #[arg(long, value_name = "FILE")]
    program: PathBuf,
    /// The program that starts bare Ballista, an example of data/cluster; the command of the repository builds it too
    #[arg(long, value_name = "FILE")]
    ballista: PathBuf,
    /// An interpreter that has the packages for Python; without it, and with `--only`, calls of functions are not measured
    #[arg(long, value_name = "FILE")]
    python: Option<PathBuf>,
    /// Measure what is larger than the memory instead, and a cluster that does nothing; `--only` takes count, sort, groups, cluster
    #[arg(long)]
    large: bool,
    /// Gigabytes of logs; the tables of TPC-H are always those of scale 1 [default: 2; with --large 10]
    #[arg(long)]
    gb: Option<f64>,
    /// Runs of each query on each system; the median counts
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..))]
    runs: u16,
    /// Only these queries, on these systems. Then the tables are printed and the page is not written
    #[arg(long, value_name = "NAMES", value_delimiter = ',', long_help = wanted::help())]
    only: Vec<String>,
    /// Keep the logs and the tables in this folder; those that are there already are used again
    #[arg(long, value_name = "FOLDER")]
    keep: Option<PathBuf>,
}

fn main() -> Result<()> {
    let options = Options::parse();
    let load = machine::load();
    family::check()?;
    if options.large { large(&options, load) } else { systems(&options, load) }
}

/// All systems beside each other.
fn systems(options: &Options, load: String) -> Result<()> {
    let wanted = Wanted::new(&options.only)?;
    let inputs = Inputs::new(options.keep.as_deref())?;
    let logs = logs(options, &wanted, &inputs)?;
    let tpch = tpch(options, &wanted, &inputs)?;
    let python = options.python.as_ref().filter(|_| wanted.is_all());
    let calls = python.map(|python| Calls::measure(python, options.runs));
    let report = Report { runs: options.runs, load, logs, tpch, calls };
    println!("\n{}", report.text());
    let faults = report.faults();
    ensure!(faults.is_empty(), "{}", faults.join("\n"));
    if wanted.is_all() { report.publish() } else { Ok(()) }
}

/// Ours alone, with more.
fn large(options: &Options, load: String) -> Result<()> {
    large::check(&options.only)?;
    let inputs = Inputs::new(options.keep.as_deref())?;
    let cardoon = Cardoon::new(options.program.clone());
    inputs.make_csv(&cardoon, options.gb.unwrap_or(10.0))?;
    let large = Large::measure(&cardoon, &inputs, &options.only, options.runs, load)?;
    println!("\n{}", large.text());
    let faults = large.faults();
    ensure!(faults.is_empty(), "{}", faults.join("\n"));
    if options.only.is_empty() { large.publish() } else { Ok(()) }
}

fn logs(options: &Options, wanted: &Wanted, inputs: &Inputs) -> Result<Option<Logs>> {
    if wanted.logs().is_empty() {
        return Ok(None);
    }
    let cardoon = Cardoon::new(options.program.clone());
    inputs.make_logs(&cardoon, options.gb.unwrap_or(2.0))?;
    inputs.warm_logs()?;
    let reading = limit::measure(inputs, options.runs)?;
    let systems = wanted.of_all(systems::all(cardoon, Ballista::new(options.ballista.clone())));
    let part = Part::measure(systems, wanted.logs(), inputs, Inputs::warm_logs, options.runs)?;
    Logs::new(part, reading, inputs).map(Some)
}

fn tpch(options: &Options, wanted: &Wanted, inputs: &Inputs) -> Result<Option<Tpch>> {
    let systems = wanted.of_all(systems::in_sql(Cardoon::new(options.program.clone())));
    if wanted.tpch().is_empty() || systems.is_empty() {
        return Ok(None);
    }
    inputs.make_tables()?;
    let part = Part::measure(systems, wanted.tpch(), inputs, Inputs::warm_tables, options.runs)?;
    Tpch::new(part, inputs).map(Some)
}
