use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};

use anyhow::Context;

/// A child process that is killed when its handle is dropped.
#[derive(Debug)]
pub struct Process(Child);

impl Process {
    pub fn start(command: &mut Command) -> anyhow::Result<Self> {
        let child = command.spawn().with_context(|| format!("cannot start {command:?}"))?;
        Ok(Self(child))
    }

    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// Whether it has not ended yet.
    pub fn is_alive(&mut self) -> anyhow::Result<bool> {
        Ok(self.0.try_wait()?.is_none())
    }

    /// Ends it as `kill -9` does, and waits for its end.
    pub fn kill(&mut self) -> anyhow::Result<ExitStatus> {
        self.0.kill()?;
        Ok(self.0.wait()?)
    }

    /// Stops it with SIGSTOP: it stands still until [`Self::resume`].
    #[cfg(unix)]
    pub fn pause(&self) -> anyhow::Result<()> {
        self.signal(rustix::process::Signal::STOP)
    }

    #[cfg(unix)]
    pub fn resume(&self) -> anyhow::Result<()> {
        self.signal(rustix::process::Signal::CONT)
    }

    #[cfg(unix)]
    fn signal(&self, signal: rustix::process::Signal) -> anyhow::Result<()> {
        Ok(rustix::process::kill_process(rustix::process::Pid::from_child(&self.0), signal)?)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.kill();
    }
}

/// The built `cardoon` program: `CARDOON_BINARY` if it is set, else the one beside the running test.
pub fn cardoon_binary() -> anyhow::Result<PathBuf> {
    if let Some(path) = std::env::var_os("CARDOON_BINARY") {
        return Ok(path.into());
    }
    let test = std::env::current_exe()?;
    let name = format!("cardoon{}", std::env::consts::EXE_SUFFIX);
    let found =
        test.ancestors().skip(1).take(2).map(|folder: &Path| folder.join(&name)).find(|path| path.is_file());
    found.with_context(|| format!("no {name} near {}: build it, or set CARDOON_BINARY", test.display()))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_process_ends_when_it_is_killed() {
        let mut process = Process::start(Command::new("sleep").arg("60")).unwrap();
        assert!(process.is_alive().unwrap());
        assert!(!process.kill().unwrap().success());
        assert!(!process.is_alive().unwrap());
    }
}
