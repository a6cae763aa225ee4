//! The program `cardoon-data`, as a user starts it: the rows of the query go through a pipe.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use cardoon_bench_common::machine;

use super::{Run, rows};
use crate::inputs::Inputs;
use crate::queries::Query;

#[derive(Clone)]
pub(crate) struct Cardoon {
    program: PathBuf,
}

impl Cardoon {
    pub(crate) fn new(program: PathBuf) -> Self {
        Self { program }
    }

    pub(crate) fn version(&self) -> String {
        let version = machine::output(&self.program.to_string_lossy(), &["--version"]);
        format!("Cardoon: {}", version.rsplit(' ').next().unwrap_or_default())
    }

    pub(crate) fn make_logs(&self, gb: f64, folder: &Path) -> Result<()> {
        let mut demo = Command::new(&self.program);
        demo.args(["demo", "logs", "--gb", &gb.to_string(), "--folder"]).arg(folder);
        make(&mut demo)
    }

    /// Writes the rows of some files into another, of the kind that its name says.
    pub(crate) fn copy(&self, from: &Path, to: &Path) -> Result<()> {
        let query = format!("select * from '{}'", from.display().to_string().replace('\'', "''"));
        make(Command::new(&self.program).args(["sql", &query, "--out"]).arg(to))
    }

    pub(super) fn run(&self, query: &Query, inputs: &Inputs) -> Result<Run> {
        rows::run(&mut self.ask(&query.sql(inputs)), query)
    }

    /// A query whose rows go to standard output.
    pub(crate) fn ask(&self, sql: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.args(["sql", sql, "-o", "csv"]);
        command
    }

    pub(super) fn program(&self) -> &Path {
        &self.program
    }
}

fn make(command: &mut Command) -> Result<()> {
    let status = command.status().context("cannot start the program that makes logs")?;
    ensure!(status.success(), "{command:?} ended with {status}");
    Ok(())
}
