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
use crate::report::Report;
use crate::rounds::Row;
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
    /// Gigabytes of logs
    #[arg(long, default_value_t = 2.0)]
    gb: f64,
    /// Runs of each query on each system; the median counts
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..))]
    runs: u16,
    /// Only these queries, on these systems. Then the tables are printed and the page is not written
    #[arg(long, value_name = "NAMES", value_delimiter = ',', long_help = wanted::help())]
    only: Vec<String>,
    /// Keep the logs in this folder; those that are there already are used again
    #[arg(long, value_name = "FOLDER")]
    keep: Option<PathBuf>,
}

fn main() -> Result<()> {
    let options = Options::parse();
    let load = machine::load();
    let wanted = Wanted::new(&options.only)?;
    family::check()?;
    let cardoon = Cardoon::new(options.program);
    let inputs = Inputs::make(&cardoon, options.gb, options.keep.as_deref())?;
    let systems = wanted.of_all(systems::all(cardoon));
    let mut report = Report::new(systems, &inputs, options.runs, load)?;
    measure(&mut report, &wanted, &inputs)?;
    if let Some(python) = options.python.filter(|_| wanted.is_all()) {
        report.calls = Some(Calls::measure(&python, options.runs));
    }
    println!("\n{}", report.text());
    let faults = report.faults();
    ensure!(faults.is_empty(), "{}", faults.join("\n"));
    if wanted.is_all() { report.publish() } else { Ok(()) }
}

fn measure(report: &mut Report, wanted: &Wanted, inputs: &Inputs) -> Result<()> {
    inputs.warm()?;
    report.reading = limit::measure(inputs, report.runs)?;
    for query in wanted.queries() {
        inputs.warm()?;
        let row = Row::measure(query, &report.systems, inputs, report.runs);
        println!("{}", row.told(&report.systems));
        report.rows.push(row);
    }
    Ok(())
}
