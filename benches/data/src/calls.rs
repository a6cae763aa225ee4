//! Calls of functions of Python, on four workers with two threads each: ours beside Dask's, by the same program.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use cardoon_bench_common::{median, repository};
use serde::Deserialize;

use crate::process;
use crate::systems::{LIMIT, peers_python};

/// The name of the program's setting, and what a table calls it.
const SIDES: [(&str, &str); 2] = [("cardoon", "Cardoon 4x2"), ("dask", "Dask 4x2")];

/// Medians of each side, in seconds, or why there is none.
pub(crate) struct Calls(Vec<(&'static str, Result<f64>)>);

/// What the program prints.
#[derive(Deserialize)]
struct Said {
    seconds: f64,
}

impl Calls {
    /// `python` has our package.
    pub(crate) fn measure(python: &Path, runs: u16) -> Self {
        let interpreters = [Ok(python.to_owned()), peers_python()];
        let mut secs = SIDES.map(|_| Ok(Vec::new()));
        for _ in 0..runs {
            for ((secs, interpreter), (name, _)) in secs.iter_mut().zip(&interpreters).zip(SIDES) {
                add(secs, interpreter, name);
            }
        }
        let titles = SIDES.into_iter().map(|(_, title)| title);
        Self(titles.zip(secs).map(|(title, secs)| (title, secs.map(median))).collect())
    }

    /// A paragraph with a list.
    pub(crate) fn text(&self) -> String {
        let sides = self.0.iter().map(|(title, secs)| match secs {
            Ok(secs) => format!("- {title}: {secs:.2} s, {:.0} calls a second", 10_000.0 / secs),
            Err(error) => format!("- {title}: failed: {error:#}"),
        });
        let sides = sides.collect::<Vec<_>>().join("\n");
        format!("`client.map` of 10,000 calls that do nothing, and `gather`, after a warm-up:\n\n{sides}")
    }

    /// What makes the run a failure: that ours failed.
    pub(crate) fn fault(&self) -> Option<String> {
        let (title, secs) = self.0.first()?;
        Some(format!("{title}, calls: failed: {:#}", secs.as_ref().err()?))
    }
}

/// One more run; after one that failed there are no more.
fn add(secs: &mut Result<Vec<f64>>, interpreter: &Result<PathBuf>, name: &str) {
    let Ok(before) = secs else { return };
    match interpreter
        .as_ref()
        .map_err(|error| anyhow::anyhow!("{error:#}"))
        .and_then(|python| run(python, name))
    {
        Ok(more) => before.push(more),
        Err(error) => *secs = Err(error),
    }
}

fn run(python: &Path, name: &str) -> Result<f64> {
    let program = repository::path("benches/peers/data/calls.py")?;
    let mut command = Command::new(python);
    command.arg(program).arg(name).env("PYTHONDONTWRITEBYTECODE", "1");
    said(&process::run(&mut command, LIMIT)?.stdout)
}

/// The last line counts; a package may have printed others.
fn said(stdout: &str) -> Result<f64> {
    let line = stdout.lines().next_back().context("printed nothing")?;
    let Said { seconds } = serde_json::from_str(line).with_context(|| format!("printed {line:?}"))?;
    Ok(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_are_told_with_their_rates_and_ours_must_not_fail() {
        let failed = || Err(anyhow::anyhow!("no cluster"));
        let calls = Calls(vec![("Cardoon 4x2", Ok(0.5)), ("Dask 4x2", failed())]);
        let text = calls.text();
        assert!(
            text.contains("- Cardoon 4x2: 0.50 s, 20000 calls a second\n- Dask 4x2: failed: no cluster"),
            "{text}"
        );
        assert_eq!(calls.fault(), None);
        assert_eq!(Calls(vec![("Cardoon", failed())]).fault().unwrap(), "Cardoon, calls: failed: no cluster");
    }

    #[test]
    fn what_a_program_prints_last_counts() {
        assert!((said("a warning\n{\"seconds\": 0.25}\n").unwrap() - 0.25).abs() < f64::EPSILON);
        assert!(said("").is_err());
    }

    #[test]
    fn no_run_follows_one_that_failed() {
        let mut secs = Ok(vec![1.0]);
        add(&mut secs, &Err(anyhow::anyhow!("is not installed")), "dask");
        add(&mut secs, &Ok(PathBuf::from("/nonexistent")), "dask");
        assert_eq!(secs.unwrap_err().to_string(), "is not installed");
    }
}
