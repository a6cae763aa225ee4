//! What is installed to be measured beside us, in the user's cache folder.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use cardoon_bench_common::repository;

/// A virtual environment of Python with what a file of requirements says, made at the first call.
pub(crate) fn python(name: &str, requirements: &str) -> Result<PathBuf> {
    make(name, requirements, |folder| {
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(folder))?;
        let file = folder.join("requirements.txt");
        std::fs::write(&file, requirements)?;
        let pip = folder.join("bin/pip");
        run(Command::new(pip)
            .args(["install", "--quiet", "--disable-pip-version-check", "--requirement"])
            .arg(file))
    })
}

/// A virtual environment of Python with this wheel in it, made anew when the wheel has changed.
pub(crate) fn wheel(name: &str, wheel: &Path) -> Result<PathBuf> {
    let bytes = std::fs::read(wheel).with_context(|| format!("cannot read {}", wheel.display()))?;
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    make(name, &format!("{:016x}", hasher.finish()), |folder| {
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(folder))?;
        let mut pip = Command::new(folder.join("bin/pip"));
        run(pip.args(["install", "--quiet", "--disable-pip-version-check", "--no-index"]).arg(wheel))
    })
}

/// A folder with packages of npm in it, installed at the first call.
pub(crate) fn npm(name: &str, packages: &[&str]) -> Result<PathBuf> {
    make(name, &packages.join("\n"), |folder| {
        let mut npm = Command::new("npm");
        npm.args(["install", "--silent", "--no-audit", "--no-fund", "--prefix"]).arg(folder).args(packages);
        run(&mut npm)
    })
}

/// The program of a crate in `benches/peers`, built if it is new or was changed.
pub(crate) fn peer(name: &str) -> Result<PathBuf> {
    let manifest = repository::path("benches/peers")?.join(name).join("Cargo.toml");
    let target = folder(name)?.join("target");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--release", "--quiet", "--locked", "--manifest-path"]).arg(manifest);
    run(cargo.env("CARGO_TARGET_DIR", &target))?;
    Ok(target.join("release").join(format!("bench-{name}")))
}

/// A folder in the cache that `fill` makes. What is half made, or holds something else than `content`, is made anew.
fn make(name: &str, content: &str, fill: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
    let folder = folder(name)?;
    let done = folder.join("bench.done");
    if std::fs::read_to_string(&done).ok().as_deref() != Some(content) {
        std::fs::create_dir_all(&folder)?;
        fill(&folder)?;
        std::fs::write(done, content)?;
    }
    Ok(folder)
}

fn folder(name: &str) -> Result<PathBuf> {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = variable("XDG_CACHE_HOME").or_else(|| variable("HOME").map(|home| home.join(".cache")));
    Ok(cache.context("neither XDG_CACHE_HOME nor HOME is set")?.join("cardoon/bench").join(name))
}

/// Runs a program to its end.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start {command:?}"))?;
    if !status.success() {
        bail!("{command:?} ended with {status}");
    }
    Ok(())
}

/// Runs a program to its end, and answers what it printed.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command.stderr(Stdio::inherit()).output();
    let output = output.with_context(|| format!("cannot start {command:?}"))?;
    if !output.status.success() {
        bail!("{command:?} ended with {}", output.status);
    }
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}
