//! The fault drills and the mixed fleets at their full counts.

use anyhow::Result;

use crate::{python, run, setup};

/// Runs the drills; they write their table into `docs/reliability.md`.
pub(crate) fn soak(args: &[String]) -> Result<()> {
    setup::setup(&[])?;
    let mut soak = run::cargo(&["run", "--release", "--package", "cardoon-faults", "--", "soak"]);
    run::run(soak.args(["--write", "docs/reliability.md"]).args(args))?;
    let mut fleets = run::cargo(&["run", "--release", "--package", "cardoon-interop", "--", "soak"]);
    run::run(fleets.args(["--write", "docs/reliability.md"]))?;
    python::soak()
}
