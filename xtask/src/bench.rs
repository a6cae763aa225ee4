//! Benchmarks.

use anyhow::{Result, bail};

use crate::run;

/// Builds and runs the benchmark of this name; it writes its own table.
pub(crate) fn bench(args: &[String]) -> Result<()> {
    let Some(("tasks", rest)) = args.split_first().map(|(name, rest)| (name.as_str(), rest)) else {
        bail!("which benchmark? `cargo xtask bench tasks`");
    };
    // Its worker processes may be the command itself.
    run::run(&mut run::cargo(&["build", "--release", "--package", "cardoon-cli"]))?;
    let mut bench = run::cargo(&["run", "--release", "--package", "cardoon-bench-tasks", "--"]);
    run::run(bench.args(rest))
}
