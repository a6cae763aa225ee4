//! The program `cardoon-data`, as a user starts it: the rows of the query go through a pipe.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::{LIMIT, Run};
use crate::answer::Answer;
use crate::inputs::Inputs;
use crate::process;
use crate::queries::Query;

pub(crate) struct Cardoon {
    program: PathBuf,
}

impl Cardoon {
    pub(crate) fn new(program: PathBuf) -> Self {
        Self { program }
    }

    pub(super) fn version(&self) -> String {
        let version = cardoon_bench_common::machine::output(&self.program.to_string_lossy(), &["--version"]);
        format!("Cardoon: {}", version.rsplit(' ').next().unwrap_or_default())
    }

    pub(crate) fn make_logs(&self, gb: f64, folder: &Path) -> Result<()> {
        let mut demo = Command::new(&self.program);
        demo.args(["demo", "logs", "--gb", &gb.to_string(), "--folder"]).arg(folder);
        let status = demo.status().context("cannot start the program that makes logs")?;
        ensure!(status.success(), "{demo:?} ended with {status}");
        Ok(())
    }

    pub(super) fn run(&self, query: &Query, inputs: &Inputs) -> Result<Run> {
        let mut command = Command::new(&self.program);
        command.args(["sql", &query.sql(inputs), "-o", "csv"]).env("LC_ALL", "C");
        let ended = process::run(&mut command, LIMIT)?;
        Ok(Run {
            query_secs: timing(&ended.stderr),
            start_secs: 0.0,
            wall_secs: ended.wall.as_secs_f64(),
            peak_mb: ended.peak_mb,
            answer: Answer::of_csv(&ended.stdout, query.columns)?,
        })
    }
}

/// The seconds that the query took: the last line on standard error begins with them, as in `2.134 s: 9 rows …`.
fn timing(stderr: &str) -> Option<f64> {
    let (seconds, _) = stderr.lines().next_back()?.split_once(" s: ")?;
    seconds.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_begins_with_the_time_of_the_query() {
        assert_eq!(timing("something\n2.134 s: 9 rows and 81 B of CSV read\n"), Some(2.134));
        assert_eq!(timing("12 rows were left out\n"), None);
    }
}
