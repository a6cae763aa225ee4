//! Virtual environments of Python in the user's cache folder.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// Written last: an environment without it is half made, with another text it is old.
const DONE: &str = "bench.done";

/// The folder of an environment with what the text of a file of requirements says, made with pip at the first call
/// and whenever the requirements have changed.
pub fn python(name: &str, requirements: &str) -> Result<PathBuf> {
    let folder = folder(name)?;
    if !is_made(&folder, requirements) {
        std::fs::create_dir_all(&folder)?;
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
        let file = folder.join("requirements.txt");
        std::fs::write(&file, requirements)?;
        let mut pip = Command::new(folder.join("bin/pip"));
        pip.args(["install", "--quiet", "--disable-pip-version-check", "--requirement"]).arg(file);
        run(&mut pip)?;
        std::fs::write(folder.join(DONE), requirements)?;
    }
    Ok(folder)
}

fn is_made(folder: &Path, requirements: &str) -> bool {
    std::fs::read_to_string(folder.join(DONE)).is_ok_and(|done| done == requirements)
}

fn folder(name: &str) -> Result<PathBuf> {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = variable("XDG_CACHE_HOME").or_else(|| variable("HOME").map(|home| home.join(".cache")));
    Ok(cache.context("neither XDG_CACHE_HOME nor HOME is set")?.join("cardoon/bench").join(name))
}

fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start {command:?}"))?;
    ensure!(status.success(), "{command:?} ended with {status}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_environment_that_is_half_made_or_has_other_packages_is_none() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!is_made(folder.path(), "polars==2.1.0\n"));
        std::fs::write(folder.path().join(DONE), "polars==2.0.0\n").unwrap();
        assert!(!is_made(folder.path(), "polars==2.1.0\n"));
        std::fs::write(folder.path().join(DONE), "polars==2.1.0\n").unwrap();
        assert!(is_made(folder.path(), "polars==2.1.0\n"));
    }
}
