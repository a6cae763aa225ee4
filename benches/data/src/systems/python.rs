//! Engines with a package for Python: `benches/peers/data` has a program for each, and an environment in the cache folder has
//! the packages.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use anyhow::{Context, Result, anyhow, ensure};
use cardoon_bench_common::{environment, repository};
use serde::Deserialize;

use super::{LIMIT, Run};
use crate::answer::Answer;
use crate::inputs::Inputs;
use crate::process::{self, Ended};
use crate::queries::Query;

const REQUIREMENTS: &str = include_str!("../../../peers/data/requirements.txt");

/// Of the tables of TPC-H; a package like the others.
const GENERATOR: &str = "tpchgen-cli";

/// Made when the first peer is started. If it cannot be, each of them says why.
static ENVIRONMENT: LazyLock<Result<PathBuf, String>> =
    LazyLock::new(|| environment::python("data", REQUIREMENTS).map_err(|error| format!("{error:#}")));

/// A package with one way to use it.
#[derive(Clone, Copy)]
pub(super) struct Peer {
    title: &'static str,
    package: &'static str,
    asked: Asked,
}

/// How a query comes to its program.
#[derive(Clone, Copy)]
enum Asked {
    /// By a name that it knows, with this setting.
    ByName(Option<&'static str>),
    /// As text.
    InSql,
}

const PEERS: [Peer; 7] = [
    Peer { title: "DuckDB", package: "duckdb", asked: Asked::ByName(None) },
    Peer { title: "Polars", package: "polars", asked: Asked::ByName(Some("streaming")) },
    Peer { title: "Polars", package: "polars", asked: Asked::ByName(Some("in-memory")) },
    Peer { title: "DataFusion", package: "datafusion", asked: Asked::ByName(None) },
    Peer { title: "pandas", package: "pandas", asked: Asked::ByName(None) },
    Peer { title: "Dask", package: "dask", asked: Asked::ByName(Some("2x2")) },
    Peer { title: "Dask", package: "dask", asked: Asked::ByName(Some("4x2")) },
];

const PEERS_IN_SQL: [Peer; 2] = [
    Peer { title: "DuckDB", package: "duckdb", asked: Asked::InSql },
    Peer { title: "DataFusion", package: "datafusion", asked: Asked::InSql },
];

/// What its program prints.
#[derive(Deserialize)]
struct Said {
    seconds: f64,
    start: f64,
    #[serde(flatten)]
    answer: Answer,
}

pub(super) fn peers() -> Vec<Peer> {
    PEERS.into()
}

pub(super) fn peers_in_sql() -> Vec<Peer> {
    PEERS_IN_SQL.into()
}

/// Makes a folder of the tables of TPC-H at scale 1, with the generator's defaults.
pub(crate) fn generate_tables(folder: &Path) -> Result<()> {
    let mut generator = Command::new(environment()?.join("bin").join(GENERATOR));
    generator.args(["parquet", "--quiet", "--scale-factor", "1", "--output-dir"]).arg(folder);
    let status = generator.status().with_context(|| format!("cannot start {GENERATOR}"))?;
    ensure!(status.success(), "{generator:?} ended with {status}");
    Ok(())
}

/// The generator of the tables with its version.
pub(crate) fn generator() -> String {
    format!("{GENERATOR} {}", pinned(GENERATOR))
}

/// The interpreter that has the packages.
pub(crate) fn interpreter() -> Result<PathBuf> {
    Ok(environment()?.join("bin/python"))
}

fn environment() -> Result<&'static Path> {
    ENVIRONMENT.as_deref().map_err(|error| anyhow!("is not installed: {error}"))
}

/// The version of a package.
fn pinned(package: &str) -> &'static str {
    let mut lines = REQUIREMENTS.lines();
    lines.find_map(|line| line.strip_prefix(package)?.strip_prefix("==")).unwrap_or("unknown")
}

impl Peer {
    pub(super) fn name(&self) -> String {
        self.setting()
            .map_or_else(|| self.package.to_owned(), |setting| format!("{}-{setting}", self.package))
    }

    pub(super) fn title(&self) -> String {
        self.setting().map_or_else(|| self.title.to_owned(), |setting| format!("{} {setting}", self.title))
    }

    pub(super) fn version(&self) -> String {
        format!("{}: {}", self.title, pinned(self.package))
    }

    fn setting(&self) -> Option<&'static str> {
        match self.asked {
            Asked::ByName(setting) => setting,
            Asked::InSql => None,
        }
    }

    pub(super) fn run(&self, query: &Query, inputs: &Inputs) -> Result<Run> {
        let mut command = Command::new(interpreter()?);
        let programs = repository::path("benches/peers/data")?;
        match self.asked {
            Asked::ByName(setting) => {
                command.arg(programs.join(format!("by_{}.py", self.package)));
                command
                    .arg(setting.unwrap_or("default"))
                    .arg(query.name)
                    .arg(inputs.logs())
                    .arg(inputs.users());
            }
            Asked::InSql => {
                command.arg(programs.join(format!("sql_by_{}.py", self.package))).arg(query.sql(inputs));
            }
        }
        read(&process::run(command.env("PYTHONDONTWRITEBYTECODE", "1"), LIMIT)?)
    }
}

/// The last line counts; a package may have printed others.
fn read(ended: &Ended) -> Result<Run> {
    let line = ended.stdout.lines().next_back().context("printed nothing")?;
    let Said { seconds, start, answer } =
        serde_json::from_str(line).with_context(|| format!("printed {line:?}"))?;
    Ok(Run {
        query_secs: Some(seconds),
        start_secs: start,
        wall_secs: ended.wall.as_secs_f64(),
        peak_mb: ended.peak_mb,
        answer,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn printed(stdout: &str) -> Result<Run> {
        let (stdout, stderr) = (stdout.to_owned(), String::new());
        read(&Ended { wall: Duration::from_secs(3), peak_mb: 70.0, stdout, stderr })
    }

    #[test]
    fn what_a_program_prints_last_is_its_answer() {
        let line = r#"{"seconds": 0.5, "start": 2.0, "rows": 1, "checksum": 18446744073709551615, "floats": [1e300]}"#;
        let run = printed(&format!("a warning\n{line}\n")).unwrap();
        assert_eq!((run.query_secs, run.start_secs, run.wall_secs), (Some(0.5), 2.0, 3.0));
        assert!(printed("").is_err());
        assert!(printed("Killed\n").is_err());
    }

    #[test]
    fn every_peer_is_pinned_and_has_a_name_of_its_own() {
        let names: std::collections::BTreeSet<_> = PEERS.iter().map(Peer::name).collect();
        assert_eq!(names.len(), PEERS.len());
        assert!(PEERS.iter().chain(&PEERS_IN_SQL).all(|peer| !peer.version().ends_with("unknown")));
        assert!(PEERS_IN_SQL.iter().all(|peer| names.contains(&peer.name())));
        assert_ne!(pinned(GENERATOR), "unknown");
    }
}
