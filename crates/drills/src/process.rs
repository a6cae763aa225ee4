use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use cardoon_core::BootInstant;
use cardoon_errors::{Code, Error, Result};
use cardoon_runtime::Clock;
#[cfg(unix)]
use rustix::process::Signal;
use tokio::process::{Child, Command};

/// A process of ours under test, by its own handle: it is never looked up by name, and it is killed with its owner.
///
/// Signals sent to a process that has ended do nothing; its number cannot have been given to another one, because
/// the handle has not let go of it.
#[derive(Debug)]
pub struct WorkerProcess {
    name: String,
    pid: u32,
    child: Child,
    stderr: PathBuf,
    clock: Clock,
}

impl WorkerProcess {
    /// Starts `command`. What it writes to its error stream goes to the file `NAME.stderr` in `folder`, appended.
    pub fn spawn(name: &str, command: std::process::Command, folder: &Path, clock: Clock) -> Result<Self> {
        let stderr = folder.join(format!("{name}.stderr"));
        let program = command.get_program().to_owned();
        let (child, pid) = start(command, &stderr).map_err(|error| cannot_start(&program, error))?;
        Ok(Self { name: name.to_owned(), pid, child, stderr, clock })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Kills it with SIGKILL, which it cannot see coming. Returns when it was sent.
    pub fn kill(&self) -> Result<BootInstant> {
        self.signal(Signal::KILL)?;
        Ok(self.clock.boot())
    }

    /// Stops it with SIGSTOP: it stands still until [`Self::resume`].
    pub fn pause(&self) -> Result<()> {
        self.signal(Signal::STOP)
    }

    pub fn resume(&self) -> Result<()> {
        self.signal(Signal::CONT)
    }

    /// Asks it with SIGTERM to drain.
    pub fn terminate(&self) -> Result<()> {
        self.signal(Signal::TERM)
    }

    /// Pauses it for `pause`.
    pub async fn stand_still(&self, pause: Duration) -> Result<()> {
        self.pause()?;
        self.clock.sleep(pause).await;
        self.resume()
    }

    /// Lets it run for `share` of the time (0 to 1) in periods of 100 ms, for `duration`.
    pub async fn throttle(&self, share: f64, duration: Duration) -> Result<()> {
        const PERIOD: Duration = Duration::from_millis(100);
        let awake = PERIOD.mul_f64(share.clamp(0.0, 1.0));
        let asleep = PERIOD.saturating_sub(awake);
        let end = self.clock.boot().plus(duration);
        while self.clock.boot() < end {
            self.stand_still(asleep).await?;
            self.clock.sleep(awake).await;
        }
        Ok(())
    }

    /// Waits for its end, at most `limit`.
    pub async fn wait(&mut self, limit: Duration) -> Result<ExitStatus> {
        let clock = self.clock.clone();
        tokio::select! {
            status = self.child.wait() => status.map_err(|error| self.failed("waiting").source(error)),
            () = clock.sleep(limit) => Err(self.failed("ending").checked(format!("{limit:?} have passed"))),
        }
    }

    /// Asks it to drain and waits for its end, at most `limit`.
    pub async fn stop(&mut self, limit: Duration) -> Result<ExitStatus> {
        self.terminate()?;
        self.wait(limit).await
    }

    /// Kills it and waits until it is gone. Returns when it was killed.
    pub async fn kill_and_wait(&mut self) -> Result<BootInstant> {
        let killed_at = self.kill()?;
        self.wait(Duration::from_secs(10)).await?;
        Ok(killed_at)
    }

    /// Its status, if it has ended.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// What it wrote to its error stream so far.
    pub fn stderr(&self) -> String {
        std::fs::read(&self.stderr)
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default()
    }

    /// An error about this process, with the end of what it wrote.
    pub fn failed(&self, what: &str) -> Error {
        let talk = self.stderr();
        let lines: Vec<_> = talk.lines().rev().take(5).collect();
        let error = Error::new(Code::DrillFailed, format!("process {} failed: {what}", self.name));
        lines.into_iter().rev().fold(error, Error::checked)
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        // `id` is `None` once the process was waited for.
        let Some(pid) = self.child.id() else { return Ok(()) };
        send(pid, signal).map_err(|error| self.failed("sending a signal").source(error))
    }
}

/// Stops the process of this number for `pause`.
pub(crate) async fn stop_for(pid: u32, pause: Duration, clock: &Clock) -> io::Result<()> {
    send(pid, Signal::STOP)?;
    clock.sleep(pause).await;
    send(pid, Signal::CONT)
}

/// A process that has ended needs no signal.
#[cfg(unix)]
fn send(pid: u32, signal: Signal) -> io::Result<()> {
    let Some(pid) = rustix::process::Pid::from_raw(pid.cast_signed()) else { return Ok(()) };
    match rustix::process::kill_process(pid, signal) {
        Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(not(unix))]
fn send(_pid: u32, signal: Signal) -> io::Result<()> {
    Err(io::Error::other(format!("{} cannot be sent: drills need a Unix system", signal.0)))
}

/// The signals that a Unix system would know.
#[cfg(not(unix))]
#[derive(Debug)]
struct Signal(&'static str);

#[cfg(not(unix))]
impl Signal {
    const KILL: Self = Self("SIGKILL");
    const STOP: Self = Self("SIGSTOP");
    const CONT: Self = Self("SIGCONT");
    const TERM: Self = Self("SIGTERM");
}

fn start(command: std::process::Command, stderr: &Path) -> io::Result<(Child, u32)> {
    let stderr = File::options().create(true).append(true).open(stderr)?;
    let mut command = Command::from(command);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(stderr).kill_on_drop(true);
    let child = command.spawn()?;
    let pid = child.id().ok_or_else(|| io::Error::other("it ended before it had a number"))?;
    Ok((child, pid))
}

fn cannot_start(program: &OsStr, error: io::Error) -> Error {
    Error::new(Code::DrillFailed, format!("cannot start {}", program.display()))
        .source(error)
        .hint("check that the program exists and may be executed")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;

    const LIMIT: Duration = Duration::from_secs(20);

    fn shell(script: &str, folder: &Path) -> WorkerProcess {
        let mut command = std::process::Command::new("sh");
        command.args(["-c", script]);
        WorkerProcess::spawn("shell", command, folder, Clock::real()).unwrap()
    }

    /// The letter that the system has for the state of a process: `T` is stopped.
    fn state(process: &WorkerProcess) -> String {
        let status = std::fs::read_to_string(format!("/proc/{}/status", process.pid())).unwrap();
        status.lines().find_map(|line| line.strip_prefix("State:")).unwrap().trim()[..1].to_owned()
    }

    async fn until(mut condition: impl FnMut() -> bool) {
        let clock = Clock::real();
        let end = clock.boot().plus(LIMIT);
        while !condition() {
            assert!(clock.boot() < end, "the condition did not come true");
            clock.sleep(Duration::from_millis(5)).await;
        }
    }

    #[tokio::test]
    async fn a_killed_process_is_gone_and_later_signals_do_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let mut process = shell("sleep 600", folder.path());
        process.kill_and_wait().await.unwrap();
        assert_eq!(process.ended().unwrap().signal(), Some(9));
        process.resume().unwrap();
    }

    #[tokio::test]
    async fn a_paused_process_stands_still_until_it_is_resumed() {
        let folder = tempfile::tempdir().unwrap();
        let mut process =
            shell("trap 'exit 7' TERM; echo ready >&2; while :; do sleep 0.01; done", folder.path());
        until(|| process.stderr().contains("ready")).await;
        process.pause().unwrap();
        until(|| state(&process) == "T").await;
        process.resume().unwrap();
        assert_eq!(process.stop(LIMIT).await.unwrap().code(), Some(7));
    }

    #[tokio::test]
    async fn waiting_has_an_end_and_tells_what_the_process_said() {
        let folder = tempfile::tempdir().unwrap();
        let mut process = shell("echo out of coffee >&2; exec sleep 600", folder.path());
        until(|| process.stderr().contains("coffee")).await;
        let error = process.wait(Duration::from_millis(1)).await.unwrap_err();
        assert_eq!(error.code(), Code::DrillFailed);
        assert!(error.findings().contains(&"out of coffee".to_owned()));
    }

    #[tokio::test]
    async fn a_process_ends_with_its_owner() {
        let folder = tempfile::tempdir().unwrap();
        let process = shell("exec sleep 600", folder.path());
        let running = format!("/proc/{}/stat", process.pid());
        drop(process);
        // Whoever was killed is a zombie until it is collected.
        until(|| std::fs::read_to_string(&running).map_or(true, |stat| stat.contains(") Z "))).await;
    }

    #[tokio::test]
    async fn a_program_that_is_not_there_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let command = std::process::Command::new("/nowhere/at/all");
        let error = WorkerProcess::spawn("none", command, folder.path(), Clock::real()).unwrap_err();
        assert!(error.message().contains("/nowhere/at/all"));
    }
}
