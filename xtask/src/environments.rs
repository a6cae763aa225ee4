//! Virtual environments of Python in the user's cache: one for each version of Celery and each further Redis that the
//! tests work with, and one for the Python package.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{repository, run, setup};

/// The pinned packages, a file an environment. Redis of other versions than Debian's comes in packages of Python too.
const REQUIREMENTS: [&str; 5] = [
    "tests/interop/python/requirements",
    "tests/operations/requirements",
    "crates/testkit/requirements",
    "python/data/requirements",
    "python/requirements",
];
/// Written last: an environment without it is half made, with another text it is old.
const DONE: &str = "requirements.txt";

/// An environment that the repository asks for.
struct Environment {
    requirements: PathBuf,
    folder: PathBuf,
}

/// Makes what is missing or old, after asking. Returns whether anything was.
pub(crate) fn make_missing(args: &[String]) -> Result<bool> {
    let folder = run::cache_folder().context("neither XDG_CACHE_HOME nor HOME is set")?.join("python");
    std::fs::create_dir_all(&folder)?;
    // Another setup may be at work.
    let lock = File::create(folder.join("lock"))?;
    lock.lock()?;
    let mut missing = Vec::new();
    for environment in wanted(&folder)? {
        if !environment.is_made()? {
            println!(
                "setup: the environment {} is missing; tests work with Celery and Redis of several versions",
                environment.name()
            );
            missing.push(environment);
        }
    }
    if missing.is_empty() {
        return Ok(false);
    }
    let names: Vec<_> = missing.iter().map(Environment::name).collect();
    let question = format!("Make {} in {} with pip?", names.join(" "), folder.display());
    if !setup::is_agreed(args, &question)? {
        bail!("nothing was made; needed: {}", names.join(" "));
    }
    missing.iter().try_for_each(Environment::make)?;
    Ok(true)
}

fn wanted(folder: &Path) -> Result<Vec<Environment>> {
    let mut wanted = Vec::new();
    for requirements in REQUIREMENTS {
        for entry in std::fs::read_dir(repository::root().join(requirements))? {
            let requirements = entry?.path();
            // The name ends in `.txt`, and a version has dots of its own.
            let name = requirements.file_stem().context("requirements without a name")?;
            wanted.push(Environment { folder: folder.join(name), requirements });
        }
    }
    wanted.sort_by(|one, other| one.folder.cmp(&other.folder));
    Ok(wanted)
}

impl Environment {
    fn name(&self) -> String {
        self.folder.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    fn is_made(&self) -> Result<bool> {
        let done = std::fs::read_to_string(self.folder.join(DONE)).ok();
        Ok(done == Some(std::fs::read_to_string(&self.requirements)?))
    }

    fn make(&self) -> Result<()> {
        run::run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&self.folder))?;
        let mut pip = Command::new(self.folder.join("bin/pip"));
        pip.args(["install", "--quiet", "--disable-pip-version-check", "--requirement"]);
        run::run(pip.arg(&self.requirements))?;
        std::fs::copy(&self.requirements, self.folder.join(DONE))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_version_of_celery_and_redis_that_we_work_with_has_an_environment() {
        let wanted = wanted(Path::new("/cache")).unwrap();
        let names: Vec<_> = wanted.iter().map(Environment::name).collect();
        assert_eq!(
            names,
            [
                "celery-5.2",
                "celery-5.4",
                "celery-5.6",
                "celery-5.7",
                "data",
                "operations",
                "package",
                "redis-6.2",
                "redis-8.2",
                "schemathesis"
            ]
        );
    }

    #[test]
    fn an_environment_of_other_packages_is_made_anew() {
        let folder = std::env::temp_dir().join(format!("cardoon-xtask-{}", std::process::id()));
        let environment = Environment { requirements: folder.join("wanted"), folder: folder.join("made") };
        std::fs::create_dir_all(&environment.folder).unwrap();
        std::fs::write(&environment.requirements, "celery==5.7.0\n").unwrap();
        assert!(!environment.is_made().unwrap());
        std::fs::write(environment.folder.join(DONE), "celery==5.6.0\n").unwrap();
        assert!(!environment.is_made().unwrap());
        std::fs::write(environment.folder.join(DONE), "celery==5.7.0\n").unwrap();
        assert!(environment.is_made().unwrap());
        std::fs::remove_dir_all(folder).unwrap();
    }
}
