//! Measures what queries over files cost, beside other engines and beside the mere reading of the files, and writes the
//! part on data of `docs/benchmarks.md`. Run it with `cargo xtask bench data`.
//!
//! Every query is a process of its own, ours as well: no engine is linked into this program.
#![expect(clippy::print_stdout, reason = "a benchmark says how far it is")]

mod answer;
mod calls;
mod family;
mod inputs;
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
use crate::part::Part;
use crate::report::{Logs, Report, Tpch};
use crate::systems::Cardoon;
use crate::wanted::Wanted;

#[derive(Parser)]
struct Options {
    /// The program that is measured; the command of the repository builds it
    #[arg(long, value_name = "FILE")]
    program: PathBuf,
    /// An interpreter that has the packages for Python; without it, and with `--only`, calls of functions are not measured
    #[arg(long, value_name = "FILE")]
    python: Option<PathBuf>,
    /// Gigabytes of logs; the tables of TPC-H are always those of scale 1
    #[arg(long, default_value_t = 2.0)]
    gb: f64,
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
    let wanted = Wanted::new(&options.only)?;
    family::check()?;
    let inputs = Inputs::new(options.keep.as_deref())?;
    let logs = logs(&options, &wanted, &inputs)?;
    let tpch = tpch(&options, &wanted, &inputs)?;
    let python = options.python.as_ref().filter(|_| wanted.is_all());
    let calls = python.map(|python| Calls::measure(python, options.runs));
    let report = Report { runs: options.runs, load, logs, tpch, calls };
    println!("\n{}", report.text());
    let faults = report.faults();
    ensure!(faults.is_empty(), "{}", faults.join("\n"));
    if wanted.is_all() { report.publish() } else { Ok(()) }
}

fn logs(options: &Options, wanted: &Wanted, inputs: &Inputs) -> Result<Option<Logs>> {
    if wanted.logs().is_empty() {
        return Ok(None);
    }
    let cardoon = Cardoon::new(options.program.clone());
    inputs.make_logs(&cardoon, options.gb)?;
    inputs.warm_logs()?;
    let reading = limit::measure(inputs, options.runs)?;
    let systems = wanted.of_all(systems::all(cardoon));
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
