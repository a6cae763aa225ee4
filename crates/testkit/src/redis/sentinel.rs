use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, ensure};
use cardoon_runtime::{Clock, Random, quiet_port};
use tempfile::TempDir;

use super::program::Program;
use super::{RedisServer, Release, resp};
use crate::Process;

/// What is not so by then never will be.
const LIMIT: Duration = Duration::from_secs(30);
const STEP: Duration = Duration::from_millis(10);

/// The name under which the primary is known.
const NAME: &str = "main";

/// A real sentinel that watches one primary and decides alone. Ends with its handle.
#[derive(Debug)]
pub struct Sentinel {
    port: u16,
    clock: Clock,
    // Ended before its folder is removed.
    process: Process,
    _folder: TempDir,
}

impl Sentinel {
    /// Watches `primary`, takes it for dead after half a second, and knows its `replicas` when this returns.
    pub async fn watch(primary: &RedisServer, replicas: usize) -> anyhow::Result<Self> {
        let (clock, random) = (Clock::real(), Random::from_system());
        let end = clock.boot().plus(LIMIT);
        loop {
            let (port, folder) = (quiet_port(&random), crate::folder()?);
            let process = launch(folder.path(), port, primary.port())?;
            let mut sentinel = Self { port, clock: clock.clone(), process, _folder: folder };
            while clock.boot() < end && sentinel.process.is_alive()? {
                if sentinel.replicas().await.is_ok_and(|known| known == replicas) {
                    return Ok(sentinel);
                }
                clock.sleep(STEP).await;
            }
            ensure!(clock.boot() < end, "the sentinel does not know the replicas within {LIMIT:?}");
        }
    }

    /// Where whoever asks it for the primary connects to.
    pub fn url(&self) -> String {
        format!("redis+sentinel://127.0.0.1:{}/{NAME}/0", self.port)
    }

    /// Waits until it says that the primary is on this port.
    pub async fn follows(&self, port: u16) -> anyhow::Result<()> {
        let end = self.clock.boot().plus(LIMIT);
        let wanted = format!("127.0.0.1\n{port}");
        while self.command(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", NAME]).await? != wanted {
            ensure!(self.clock.boot() < end, "the sentinel does not turn to port {port} within {LIMIT:?}");
            self.clock.sleep(STEP).await;
        }
        Ok(())
    }

    async fn replicas(&self) -> anyhow::Result<usize> {
        let about = self.command(&["SENTINEL", "MASTER", NAME]).await?;
        let mut lines = about.lines().skip_while(|line| *line != "num-slaves").skip(1);
        Ok(lines.next().context("a sentinel that counts no replicas")?.parse()?)
    }

    async fn command(&self, words: &[&str]) -> anyhow::Result<String> {
        resp::ask(self.port, None, words).await
    }
}

fn launch(folder: &Path, port: u16, primary: u16) -> anyhow::Result<Process> {
    let settings = folder.join("sentinel.conf");
    let text = format!(
        "bind 127.0.0.1\nport {port}\ndaemonize no\ndir \"{0}\"\nlogfile \"{0}/sentinel.log\"\n\
         sentinel monitor {NAME} 127.0.0.1 {primary} 1\nsentinel down-after-milliseconds {NAME} 500\n\
         sentinel failover-timeout {NAME} 3000\n",
        folder.display()
    );
    std::fs::write(&settings, text)?;
    let mut command = Program::find(Release::Installed)?.command();
    command.arg(&settings).arg("--sentinel").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    Process::start(&mut command)
}
