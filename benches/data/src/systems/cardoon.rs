//! The program `cardoon-data`, as a user starts it: the rows of the query go through a pipe.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use super::{LIMIT, Run};
use crate::answer::Answer;
use crate::inputs::Inputs;
use crate::process;
use crate::queries::Query;

#[derive(Clone)]
pub(crate) struct Cardoon {
    program: PathBuf,
}

/// A cluster of four executors with two threads each, which is there for one query: its words are the program, the query and a
/// folder. The first line that it says is what the start took.
const ON_CLUSTER: &str = r#"
mkfifo "$2/address"
begin=$(date +%s%N)
"$0" cluster --workers 4 --threads 2 --bind 127.0.0.1:0 > "$2/address" 2> /dev/null &
read -r address < "$2/address"
echo "$(($(date +%s%N) - begin)) ns to start" >&2
"$0" sql "$1" -o csv --cluster "$address"
"#;

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
        make(&mut demo)
    }

    /// Writes the rows of some files into another, of the kind that its name says.
    pub(crate) fn copy(&self, from: &Path, to: &Path) -> Result<()> {
        let query = format!("select * from '{}'", from.display().to_string().replace('\'', "''"));
        make(Command::new(&self.program).args(["sql", &query, "--out"]).arg(to))
    }

    pub(super) fn run(&self, query: &Query, inputs: &Inputs) -> Result<Run> {
        let mut command = Command::new(&self.program);
        command.args(["sql", &query.sql(inputs), "-o", "csv"]);
        Self::read(command, query)
    }

    /// The same on a cluster that is started for it.
    pub(super) fn run_on_cluster(&self, query: &Query, inputs: &Inputs) -> Result<Run> {
        let folder = TempDir::with_prefix("cardoon-bench-")?;
        let mut command = Command::new("sh");
        command.args(["-ec", ON_CLUSTER]).arg(&self.program).arg(query.sql(inputs)).arg(folder.path());
        Self::read(command, query)
    }

    fn read(mut command: Command, query: &Query) -> Result<Run> {
        let ended = process::run(command.env("LC_ALL", "C"), LIMIT)?;
        Ok(Run {
            query_secs: timing(&ended.stderr),
            start_secs: start(&ended.stderr),
            wall_secs: ended.wall.as_secs_f64(),
            peak_mb: ended.peak_mb,
            answer: Answer::of_csv(&ended.stdout, query.columns)?,
        })
    }
}

fn make(command: &mut Command) -> Result<()> {
    let status = command.status().context("cannot start the program that makes logs")?;
    ensure!(status.success(), "{command:?} ended with {status}");
    Ok(())
}

/// The seconds that the query took: the last line on standard error begins with them, as in `2.134 s: 9 rows …`.
fn timing(stderr: &str) -> Option<f64> {
    let (seconds, _) = stderr.lines().next_back()?.split_once(" s: ")?;
    seconds.parse().ok()
}

/// The seconds that a cluster took to start, 0 without one.
fn start(stderr: &str) -> f64 {
    let nanoseconds = stderr.lines().find_map(|line| line.strip_suffix(" ns to start")?.parse::<f64>().ok());
    nanoseconds.unwrap_or_default() / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_start_of_a_cluster_is_told_apart() {
        assert!((start("430000000 ns to start\n2.134 s: 9 rows\n") - 0.43).abs() < 1e-9);
        assert!(start("2.134 s: 9 rows\n").abs() < 1e-9);
    }

    #[test]
    fn the_last_line_begins_with_the_time_of_the_query() {
        assert_eq!(timing("something\n2.134 s: 9 rows and 81 B read\n"), Some(2.134));
        assert_eq!(timing("12 rows were left out\n"), None);
    }
}
