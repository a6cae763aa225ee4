//! A folder to run the command in, and its processes, which are waited for with a deadline.

use std::io::{BufRead as _, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use cardoon_runtime::Clock;
use serde_json::Value;

/// No command of a test may take longer.
const PATIENCE: Duration = Duration::from_mins(1);

/// A project's folder with no settings but the given ones.
pub(crate) struct Home {
    pub(crate) folder: tempfile::TempDir,
}

/// What a command left behind.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A command that runs until it is told to end; killed when it is dropped.
pub(crate) struct Running {
    child: Child,
    pub(crate) stderr_lines: Receiver<String>,
    pub(crate) stdout_lines: Receiver<String>,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// The command with an environment of its own.
    pub(crate) fn command(&self, line: &[&str]) -> Command {
        self.program(env!("CARGO_BIN_EXE_cardoon"), line)
    }

    /// Another program in the same place.
    pub(crate) fn program(&self, program: &str, line: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(line).current_dir(self.folder.path()).env_clear();
        command.env("TZ", "UTC").env("LANG", "C").env("HOME", self.folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs `cardoon` with these words and waits for its end.
    pub(crate) fn run(&self, line: &[&str]) -> Ended {
        finish(self.command(line))
    }

    /// The JSON that `cardoon … -o json` prints; the command must succeed.
    pub(crate) fn json(&self, line: &[&str]) -> Value {
        let ended = self.run(&[line, &["-o", "json"]].concat());
        assert_eq!(ended.status, 0, "{line:?}: {}", ended.stderr);
        serde_json::from_str(&ended.stdout).unwrap()
    }

    /// Sends a task and answers its id.
    pub(crate) fn send(&self, line: &[&str]) -> String {
        self.json(&[&["send"], line].concat())["id"].as_str().unwrap().to_owned()
    }

    /// Starts a worker with the built-in tasks.
    pub(crate) fn worker(&self, line: &[&str]) -> Running {
        Running::start(self.command(&[&["worker", "--builtin"], line].concat()))
    }
}

impl Running {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let stderr_lines = lines(child.stderr.take().unwrap());
        let stdout_lines = lines(child.stdout.take().unwrap());
        Self { child, stderr_lines, stdout_lines }
    }

    /// Waits for a line of standard error that holds `text`.
    pub(crate) fn says(&self, text: &str) -> String {
        wait_for_line(&self.stderr_lines, text)
    }

    /// Waits for a line of standard output that holds `text`.
    pub(crate) fn prints(&self, text: &str) -> String {
        wait_for_line(&self.stdout_lines, text)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal by its name.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.pid().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }

    /// Waits for the end, which closes standard error, and answers the status.
    pub(crate) fn status(mut self) -> i32 {
        let clock = Clock::real();
        let end = clock.boot().plus(3 * PATIENCE);
        while self.stderr_lines.recv_timeout(PATIENCE) != Err(RecvTimeoutError::Disconnected) {
            assert!(clock.boot() < end, "it does not end");
        }
        self.child.wait().unwrap().code().unwrap_or(-1)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs `command` to its end, or kills it when patience is over.
pub(crate) fn finish(mut command: Command) -> Ended {
    let shown = format!("{command:?}");
    let mut child = command.spawn().unwrap();
    let stdout = whole(child.stdout.take().unwrap());
    let stderr = whole(child.stderr.take().unwrap());
    let (Ok(stdout), Ok(stderr)) = (stdout.recv_timeout(PATIENCE), stderr.recv_timeout(PATIENCE)) else {
        child.kill().unwrap();
        child.wait().unwrap();
        panic!("{shown} did not end");
    };
    Ended { status: child.wait().unwrap().code().unwrap_or(-1), stdout, stderr }
}

/// Asks again until `holds` is content with the answer.
pub(crate) fn eventually<T: std::fmt::Debug>(mut ask: impl FnMut() -> T, holds: impl Fn(&T) -> bool) -> T {
    let clock = Clock::real();
    let end = clock.boot().plus(PATIENCE);
    loop {
        let answer = ask();
        if holds(&answer) {
            return answer;
        }
        assert!(clock.boot() < end, "never came true; last: {answer:?}");
    }
}

fn wait_for_line(lines: &Receiver<String>, text: &str) -> String {
    let mut seen = Vec::new();
    while let Ok(line) = lines.recv_timeout(PATIENCE) {
        if line.contains(text) {
            return line;
        }
        seen.push(line);
    }
    panic!("no line holds {text:?}; seen: {seen:#?}");
}

fn whole(mut pipe: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    let read = move || {
        let mut bytes = Vec::new();
        let _ = pipe.read_to_end(&mut bytes);
        let _ = sender.send(String::from_utf8_lossy(&bytes).into_owned());
    };
    std::thread::Builder::new().spawn(read).unwrap();
    receiver
}

fn lines(pipe: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    let read = move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    };
    std::thread::Builder::new().spawn(read).unwrap();
    receiver
}
