//! Benchmarks.

use anyhow::{Context, Result, bail};

use crate::{python, run, setup};

/// Builds and runs the benchmark of this name; it writes its own table.
pub(crate) fn bench(args: &[String]) -> Result<()> {
    let Some(("tasks", rest)) = args.split_first().map(|(name, rest)| (name.as_str(), rest)) else {
        bail!("which benchmark? `cargo xtask bench tasks [--broker redis | --python | --gateway]`");
    };
    let wheel = rest.iter().any(|arg| arg == "--python").then(wheel).transpose()?;
    // It measures the command itself too.
    run::run(&mut run::cargo(&["build", "--release", "--package", "cardoon-cli"]))?;
    let mut bench = run::cargo(&["run", "--release", "--package", "cardoon-bench-tasks", "--"]);
    bench.args(rest);
    if let Some(wheel) = wheel {
        bench.arg("--wheel").arg(wheel);
    }
    run::run(&mut bench)
}

/// Builds the package to be measured, with the tools of the tests' environment.
fn wheel() -> Result<std::path::PathBuf> {
    setup::setup(&[])?;
    let cache = run::cache_folder().context("neither XDG_CACHE_HOME nor HOME is set")?;
    python::build_wheel(&cache.join("python/package"))
}
