//! Benchmarks.

use anyhow::{Context, Result, bail};

use crate::{python, run, setup};

/// Builds and runs the benchmark of this name; it writes its own table.
pub(crate) fn bench(args: &[String]) -> Result<()> {
    match args.split_first().map(|(name, rest)| (name.as_str(), rest)) {
        Some(("tasks", rest)) => tasks(rest),
        Some(("data", rest)) => data(rest),
        _ => bail!(
            "which benchmark? `cargo xtask bench tasks [--broker redis | --python | --gateway]` or \
             `cargo xtask bench data [--large] [--gb 2] [--runs 3] [--only NAMES] [--keep FOLDER]`"
        ),
    }
}

fn tasks(args: &[String]) -> Result<()> {
    let wheel = args.iter().any(|arg| arg == "--python").then(wheel).transpose()?;
    // It measures the command itself too.
    run::run(&mut run::cargo(&["build", "--release", "--package", "cardoon-cli"]))?;
    let mut bench = run::cargo(&["run", "--release", "--package", "cardoon-bench-tasks", "--"]);
    bench.args(args);
    if let Some(wheel) = wheel {
        bench.arg("--wheel").arg(wheel);
    }
    run::run(&mut bench)
}

/// The engine is built in its own workspace, and bare Ballista with it; the benchmark only starts them. Calls of functions are
/// those of the packages for Python, whose own part is built with the optimizer.
fn data(args: &[String]) -> Result<()> {
    let is_all = !args.iter().any(|arg| arg.starts_with("--only") || arg == "--large");
    let python = is_all.then(installed).transpose()?;
    let (program, ballista) = ("cardoon-data", "bare_ballista");
    let manifest = ["--manifest-path", "data/Cargo.toml"];
    let built =
        ["--package", program, "--bin", program, "--package", "cardoon-cluster", "--example", ballista];
    run::run(run::cargo(&["build", "--release"]).args(manifest).args(built))?;
    let folder = run::target_folder().join("release");
    let mut bench = run::cargo(&["run", "--release", "--package", "cardoon-bench-data", "--"]);
    bench.arg("--program").arg(folder.join(program));
    bench.arg("--ballista").arg(folder.join("examples").join(ballista));
    if let Some(python) = python {
        bench.arg("--python").arg(python);
    }
    run::run(bench.args(args))
}

fn installed() -> Result<std::path::PathBuf> {
    setup::setup(&[])?;
    python::install_data()
}

/// Builds the package to be measured, with the tools of the tests' environment.
fn wheel() -> Result<std::path::PathBuf> {
    setup::setup(&[])?;
    let cache = run::cache_folder().context("neither XDG_CACHE_HOME nor HOME is set")?;
    python::build_wheel(&cache.join("python/package"))
}
