//! Engines with a package for Python: `benches/peers/data` has a program for each, and an environment in the cache folder has
//! the packages.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use anyhow::{Context, Result, anyhow};
use cardoon_bench_common::environment;
use serde::Deserialize;

use super::{LIMIT, Run};
use crate::answer::Answer;
use crate::inputs::Inputs;
use crate::process::{self, Ended};
use crate::queries::Query;

const REQUIREMENTS: &str = include_str!("../../../peers/data/requirements.txt");

/// Made when the first peer is started. If it cannot be, each of them says why.
static ENVIRONMENT: LazyLock<Result<PathBuf, String>> =
    LazyLock::new(|| environment::python("data", REQUIREMENTS).map_err(|error| format!("{error:#}")));

/// A package with one way to use it.
pub(super) struct Peer {
    title: &'static str,
    package: &'static str,
    setting: Option<&'static str>,
}

const PEERS: [Peer; 7] = [
    Peer { title: "DuckDB", package: "duckdb", setting: None },
    Peer { title: "Polars", package: "polars", setting: Some("streaming") },
    Peer { title: "Polars", package: "polars", setting: Some("in-memory") },
    Peer { title: "DataFusion", package: "datafusion", setting: None },
    Peer { title: "pandas", package: "pandas", setting: None },
    Peer { title: "Dask", package: "dask", setting: Some("2x2") },
    Peer { title: "Dask", package: "dask", setting: Some("4x2") },
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

/// The interpreter that has the packages.
pub(crate) fn interpreter() -> Result<PathBuf> {
    let environment = ENVIRONMENT.as_ref().map_err(|error| anyhow!("is not installed: {error}"))?;
    Ok(environment.join("bin/python"))
}

impl Peer {
    pub(super) fn name(&self) -> String {
        self.setting.map_or_else(|| self.package.to_owned(), |setting| format!("{}-{setting}", self.package))
    }

    pub(super) fn title(&self) -> String {
        self.setting.map_or_else(|| self.title.to_owned(), |setting| format!("{} {setting}", self.title))
    }

    pub(super) fn version(&self) -> String {
        let pinned =
            REQUIREMENTS.lines().find_map(|line| line.strip_prefix(self.package)?.strip_prefix("=="));
        format!("{}: {}", self.title, pinned.unwrap_or("unknown"))
    }

    pub(super) fn run(&self, query: &Query, inputs: &Inputs) -> Result<Run> {
        let programs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../peers/data");
        let mut command = Command::new(interpreter()?);
        command.arg(programs.join(format!("by_{}.py", self.package)));
        command.arg(self.setting.unwrap_or("default")).arg(query.name);
        command.arg(inputs.logs()).arg(inputs.users()).env("PYTHONDONTWRITEBYTECODE", "1");
        read(&process::run(&mut command, LIMIT)?)
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
        assert!(PEERS.iter().all(|peer| !peer.version().ends_with("unknown")));
    }
}
