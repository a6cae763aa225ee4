//! The fault drills and the mixed fleets at their full counts.

use anyhow::Result;

use crate::{python, repository, run, setup};

/// How often an executor is killed while its cluster works on a query.
const EXECUTOR_KILLS: &str = "40";

/// Runs the drills; they write their table into `docs/reliability.md`.
pub(crate) fn soak(args: &[String]) -> Result<()> {
    setup::setup(&[])?;
    let mut soak = run::cargo(&["run", "--release", "--package", "cardoon-faults", "--", "soak"]);
    run::run(soak.args(["--write", "docs/reliability.md"]).args(args))?;
    let mut fleets = run::cargo(&["run", "--release", "--package", "cardoon-interop", "--", "soak"]);
    run::run(fleets.args(["--write", "docs/reliability.md"]))?;
    let data = repository::root().join("data/Cargo.toml");
    let mut executors =
        run::cargo(&["test", "--workspace", "--test", "cluster", "whenever", "--manifest-path"]);
    run::run(executors.arg(data).env("CARDOON_SOAK_RUNS", EXECUTOR_KILLS))?;
    python::soak()
}
