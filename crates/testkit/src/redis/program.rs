use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Context;

use super::Release;

/// The server's program, which has another name where no service is installed: Debian's package `redis-tools` has
/// the whole server as `redis-check-rdb`, and the name that it is called by decides what it does.
const NAMES: &[&str] = &["valkey-server", "redis-server", "redis-check-rdb"];
const CALLED: &str = "redis-server";

/// A server that this machine has.
#[derive(Debug, Clone)]
pub(super) struct Program {
    path: PathBuf,
    /// The first number of its version.
    pub(super) major: u32,
}

impl Program {
    pub(super) fn find(release: Release) -> anyhow::Result<Self> {
        let installed = || NAMES.iter().find_map(|name| on_path(name));
        let path = release.program()?.or_else(installed);
        let path =
            path.context("no redis-server and no valkey-server on the path: run `cargo xtask setup`")?;
        let output = command(&path).arg("--version").output();
        let output = output.with_context(|| format!("cannot start {}", path.display()))?;
        let version = String::from_utf8_lossy(&output.stdout).into_owned();
        let major = major(&version).with_context(|| format!("{}: what is {version:?}?", path.display()))?;
        Ok(Self { path, major })
    }

    pub(super) fn command(&self) -> Command {
        command(&self.path)
    }
}

fn command(path: &PathBuf) -> Command {
    let mut command = Command::new(path);
    command.arg0(CALLED);
    command
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|program| program.is_file())
}

/// `7` in `Redis server v=7.0.15 sha=...`.
fn major(version: &str) -> Option<u32> {
    let number = version.split_whitespace().find_map(|word| word.strip_prefix("v="))?;
    number.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_read_from_what_the_server_says() {
        assert_eq!(major("Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64"), Some(7));
        assert_eq!(major("Valkey server v=8.1.1 sha=0:0"), Some(8));
        assert_eq!(major("hello"), None);
    }
}
