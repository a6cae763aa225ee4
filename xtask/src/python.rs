//! The Python package: its wheel, and its tests against the installed wheel.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{repository, run};

/// The wheel is no larger, in bytes: people load it over slow lines.
const MOST_BYTES: u64 = 25 * 1024 * 1024;

const SOAK_KILLS: &str = "100";

/// Builds the wheel, installs it into the tests' environment, and runs the type checker and the tests there.
pub(crate) fn test(args: &[String]) -> Result<()> {
    let environment = environment("package")?;
    let wheel = build_wheel(&environment)?;
    install(&environment, &wheel)?;
    check(&environment, "python", args)
}

/// The same of the distribution for data, beside the package that it belongs to. Its engine is built without the
/// optimizer, as for its tests in Rust.
pub(crate) fn test_data(args: &[String]) -> Result<()> {
    install_data()?;
    check(&environment("data")?, "python/data", args)
}

/// Installs both distributions into the environment of the tests of data, and answers its interpreter.
pub(crate) fn install_data() -> Result<PathBuf> {
    let environment = environment("data")?;
    install(&environment, &build_wheel(&environment)?)?;
    install(&environment, &build_data_wheel(&environment)?)?;
    Ok(environment.join("bin/python"))
}

fn check(environment: &Path, folder: &str, args: &[String]) -> Result<()> {
    let folder = repository::root().join(folder);
    let python = environment.join("bin/python");
    run::run(Command::new(&python).args(["-m", "mypy"]).current_dir(&folder))?;
    // The script and not the module, which would put the sources in front of the installed package.
    run::run(Command::new(environment.join("bin/pytest")).arg("-q").args(args).current_dir(&folder))
}

/// Kills children and workers at random, so many of them under load on each store.
pub(crate) fn soak() -> Result<()> {
    let environment = environment("package")?;
    let wheel = build_wheel(&environment)?;
    install(&environment, &wheel)?;
    let mut kills = Command::new(environment.join("bin/pytest"));
    kills.args(["-q", "-s", "tests/test_worker_chaos.py"]).env("CHAOS_KILLS", SOAK_KILLS);
    run::run(kills.current_dir(repository::root().join("python")))
}

/// Builds the wheel into the target folder; answers where it is.
pub(crate) fn build_wheel(environment: &Path) -> Result<PathBuf> {
    let wheel = maturin(environment, "python/Cargo.toml", "wheels", &["--release"])?;
    let size = wheel.metadata()?.len();
    println!("wheel: {} ({:.1} MiB)", wheel.display(), size as f64 / 1024.0 / 1024.0);
    if size > MOST_BYTES {
        bail!("the wheel has {size} bytes, the limit is {MOST_BYTES}");
    }
    Ok(wheel)
}

fn build_data_wheel(environment: &Path) -> Result<PathBuf> {
    maturin(environment, "python/data/Cargo.toml", "wheels-data", &[])
}

fn maturin(environment: &Path, manifest: &str, wheels: &str, profile: &[&str]) -> Result<PathBuf> {
    let target = run::target_folder();
    let wheels = target.join(wheels);
    if wheels.exists() {
        std::fs::remove_dir_all(&wheels)?;
    }
    let mut build = Command::new(environment.join("bin/maturin"));
    build.args(["build", "--locked", "--quiet"]).args(profile).arg("--manifest-path");
    build.arg(repository::root().join(manifest)).arg("--out").arg(&wheels);
    build.arg("--interpreter").arg(environment.join("bin/python"));
    run::forget_this_package(&mut build);
    run::run(build.env("CARGO_TARGET_DIR", &target))?;
    Ok(std::fs::read_dir(&wheels)?.next().context("no wheel was built")??.path())
}

fn install(environment: &Path, wheel: &Path) -> Result<()> {
    let mut pip = Command::new(environment.join("bin/pip"));
    pip.args(["install", "--quiet", "--disable-pip-version-check", "--no-deps", "--force-reinstall"]);
    run::run(pip.arg(wheel))
}

/// Where packages for tests are; `setup` has made it.
fn environment(name: &str) -> Result<PathBuf> {
    Ok(run::cache_folder().context("neither XDG_CACHE_HOME nor HOME is set")?.join("python").join(name))
}
