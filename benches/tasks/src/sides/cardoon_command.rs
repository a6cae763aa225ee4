//! The built `cardoon` command, as a user runs it.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use cardoon_testkit::{Process, cardoon_binary};
use tempfile::TempDir;

use crate::process::Family;
use crate::stopwatch;
use crate::stores::temporary_folder;

/// A gateway; killed when it is dropped.
pub(crate) struct Gateway {
    process: Process,
    address: SocketAddr,
    _folder: TempDir,
}

impl Gateway {
    /// One on a free port, with default settings but for its store.
    pub(crate) fn start(url: &str) -> Result<Self> {
        let folder = temporary_folder()?;
        let said = folder.path().join("said");
        let mut command = command(folder.path(), url)?;
        command.args(["gateway", "--listen", "127.0.0.1:0"]).stderr(std::fs::File::create(&said)?);
        let mut process = Process::start(&mut command)?;
        let address = stopwatch::poll("the gateway", Duration::from_millis(2), || {
            let said = std::fs::read_to_string(&said)?;
            if !process.is_alive()? {
                bail!("the gateway ended: {said}");
            }
            Ok(address(&said))
        })?;
        Ok(Self { process, address, _folder: folder })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process.
    pub(crate) fn family(&self) -> Result<Family> {
        Family::of(self.process.id())
    }
}

/// The command at a store, in a folder without settings.
pub(crate) fn command(folder: &Path, url: &str) -> Result<Command> {
    let mut command = Command::new(cardoon_binary()?);
    command.args(["--lang", "en", "--broker", url]).current_dir(folder);
    command.env_clear().env("HOME", folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    Ok(command)
}

pub(crate) fn version() -> Result<String> {
    let output = Command::new(cardoon_binary()?).arg("--version").output().context("cannot start cardoon")?;
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

/// Where a gateway says that it listens, once the line is whole.
fn address(said: &str) -> Option<SocketAddr> {
    let (_, rest) = said.split_once("http://")?;
    let (address, _) = rest.split_once('\n')?;
    address.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_when_its_line_is_whole() {
        let said = "database  redis://localhost/0\ngateway   http://127.0.0.1:8765\n";
        assert_eq!(address(said), Some("127.0.0.1:8765".parse().unwrap()));
        assert_eq!(address(&said[..said.len() - 1]), None);
    }
}
