//! One process with its descendants, from its start to its end.

use std::io::Read;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};

use crate::family;
use crate::stopwatch::Stopwatch;

/// How often memory is looked at.
const INTERVAL: Duration = Duration::from_millis(50);

/// What a process did that ended well.
pub(crate) struct Ended<T = String> {
    pub(crate) wall: Duration,
    /// The most that it and its descendants had resident at a time, in MB.
    pub(crate) peak_mb: f64,
    /// What it said, or what whoever read that made of it.
    pub(crate) stdout: T,
    pub(crate) stderr: String,
}

/// What the one who watches a process has seen.
struct Watched {
    peak_kib: u64,
    was_late: bool,
}

/// Runs it to its end; one that takes longer than `limit` is killed with all its descendants.
pub(crate) fn run(command: &mut Command, limit: Duration) -> Result<Ended> {
    run_reading(command, limit, read)
}

/// The same for one that says more than should be kept; `reader` is given what it says while it does.
pub(crate) fn run_reading<T: Send>(
    command: &mut Command,
    limit: Duration,
    reader: impl FnOnce(ChildStdout) -> T + Send,
) -> Result<Ended<T>> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let stopwatch = Stopwatch::start();
    let mut group = Group::start(command)?;
    let outputs = group.0.stdout.take().zip(group.0.stderr.take());
    let (stdout, stderr) = outputs.context("it has no outputs")?;
    let (ended, is_ended) = mpsc::channel::<()>();
    thread::scope(|scope| {
        let pid = group.pid();
        let watcher = scope.spawn(move || watch(pid, limit, &is_ended));
        let (stdout, stderr) = (scope.spawn(|| reader(stdout)), scope.spawn(|| read(stderr)));
        let waited = group.wait();
        let wall = stopwatch.elapsed();
        drop(ended);
        let status = group.finish();
        let Watched { peak_kib, was_late } = joined(watcher)?;
        let (stdout, stderr) = (joined(stdout)?, joined(stderr)?);
        waited?;
        ensure!(!was_late, "took longer than {} s", limit.as_secs());
        let status = status?;
        ensure!(status.success(), "ended with {status}: {}", last_line(&stderr));
        Ok(Ended { wall, peak_mb: peak_kib as f64 * 1024.0 / 1e6, stdout, stderr })
    })
}

/// Looks at the memory until the other side of `is_ended` is dropped.
fn watch(pid: Pid, limit: Duration, is_ended: &Receiver<()>) -> Watched {
    let stopwatch = Stopwatch::start();
    let mut watched = Watched { peak_kib: 0, was_late: false };
    loop {
        watched.peak_kib =
            watched.peak_kib.max(family::resident_kib(pid.as_raw_nonzero().get().cast_unsigned()));
        if is_ended.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Disconnected) {
            return watched;
        }
        if !watched.was_late && stopwatch.elapsed() > limit {
            watched.was_late = true;
            kill(pid);
        }
    }
}

fn read(mut from: impl Read) -> String {
    let mut bytes = Vec::new();
    // What was read until something broke is all that there is.
    _ = from.read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

fn joined<T>(thread: thread::ScopedJoinHandle<'_, T>) -> Result<T> {
    thread.join().map_err(|_| anyhow!("a thread that watched a process has panicked"))
}

/// Where Python and we say what went wrong.
fn last_line(stderr: &str) -> &str {
    stderr.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it said nothing")
}

/// A child and its descendants, in a process group of their own. They are killed when it is dropped.
struct Group(Child);

impl Group {
    fn start(command: &mut Command) -> Result<Self> {
        Ok(Self(command.process_group(0).spawn().with_context(|| format!("cannot start {command:?}"))?))
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.0)
    }

    /// Waits for the child's end. Its number stays taken until `finish`.
    fn wait(&self) -> Result<()> {
        rustix::process::waitid(WaitId::Pid(self.pid()), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT)?;
        Ok(())
    }

    /// Kills what is left.
    fn finish(&mut self) -> Result<ExitStatus> {
        kill(self.pid());
        Ok(self.0.wait()?)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Ok(None) = self.0.try_wait() {
            _ = self.finish();
        }
    }
}

fn kill(group: Pid) {
    _ = rustix::process::kill_process_group(group, Signal::KILL);
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader};

    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    fn shell(script: &str, limit: Duration) -> Result<Ended> {
        run(Command::new("sh").args(["-c", script]), limit)
    }

    #[test]
    fn what_a_process_says_and_uses_is_known_at_its_end() {
        let ended = shell("echo rows; echo words >&2; sleep 1", MINUTE).unwrap();
        assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("rows\n", "words\n"));
        assert!(ended.peak_mb > 0.1 && ended.peak_mb < 100.0, "{}", ended.peak_mb);
        assert!(ended.wall >= Duration::from_secs(1) && ended.wall < MINUTE);
    }

    #[test]
    fn what_it_says_is_read_while_it_runs() {
        let first = |stdout| BufReader::new(stdout).lines().next().unwrap().unwrap();
        let mut command = Command::new("sh");
        // It ends when nobody reads any more.
        command.args(["-c", "trap '' PIPE; while echo row; do :; done 2> /dev/null; true"]);
        assert_eq!(run_reading(&mut command, MINUTE, first).unwrap().stdout, "row");
    }

    #[test]
    fn one_that_takes_too_long_is_killed_with_its_children() {
        let error = shell("sleep 600 & sleep 600", Duration::from_millis(1)).err().unwrap();
        assert_eq!(error.to_string(), "took longer than 0 s");
    }

    #[test]
    fn children_that_are_left_behind_hold_nobody_up() {
        assert_eq!(shell("sleep 600 & echo rows", MINUTE).unwrap().stdout, "rows\n");
    }

    #[test]
    fn a_failure_has_the_last_line_that_was_said() {
        let error =
            shell("echo Traceback >&2; echo 'KeyError: n' >&2; echo >&2; exit 3", MINUTE).err().unwrap();
        assert_eq!(error.to_string(), "ended with exit status: 3: KeyError: n");
    }
}
