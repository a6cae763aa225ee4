//! The executors of a cluster on this machine, as processes of their own.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use cardoon_cluster::{Address, Token, private_folder};
use cardoon_errors::{Code, Error, Result};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep_until};

use crate::commands::TOKEN;

/// How long a process that has died is not started again. It doubles as long as processes die young, up to five seconds: one
/// that dies at once keeps no processor busy, and fills no log.
const PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// A process that has lived so long was well.
const YOUTH: Duration = Duration::from_secs(30);

/// What starts this program again.
#[derive(Debug, Clone)]
pub struct Program {
    pub path: PathBuf,
    /// What stands before the command.
    pub words: Vec<OsString>,
}

/// What each executor is told.
#[derive(Debug, Clone)]
pub(crate) struct Task {
    pub(crate) scheduler: Address,
    pub(crate) token: Option<Token>,
    pub(crate) threads: usize,
    pub(crate) memory: u64,
    pub(crate) folder: PathBuf,
    pub(crate) python: Option<PathBuf>,
}

impl Program {
    /// The program that runs.
    pub fn of_this() -> Self {
        Self { path: std::env::current_exe().unwrap_or_else(|_| "cardoon-data".into()), words: Vec::new() }
    }

    /// Keeps an executor running, for ever. One that dies is started again, and what it has left is removed.
    pub(crate) async fn keep_executor(&self, task: &Task) -> Result<()> {
        let mut pause = PAUSE;
        loop {
            let born = Instant::now();
            let folder = private_folder(Some(&task.folder), "executor-").map_err(|error| {
                Error::new(Code::BadInput, "there is no folder for the executors' files").source(error)
            })?;
            let mut child = self.start(task, folder.path())?;
            // Waiting would close it.
            let _alive = child.stdin.take();
            let status = child.wait().await;
            if let Some(message) = cannot_work(status) {
                return Err(message);
            }
            pause = if born.elapsed() < YOUTH { (2 * pause).min(LONGEST_PAUSE) } else { PAUSE };
            drop(folder);
            sleep_until(Instant::now() + pause).await;
        }
    }

    fn start(&self, task: &Task, folder: &Path) -> Result<Child> {
        let mut command = Command::new(&self.path);
        command
            .args(&self.words)
            .args(["executor", "--with-parent", "--scheduler", &task.scheduler.to_string()])
            .args(["--threads", &task.threads.to_string(), "--memory", &format!("{}B", task.memory)])
            .arg("--folder")
            .arg(folder)
            // An executor ends when this pipe does, however this process ends.
            .stdin(Stdio::piped())
            .kill_on_drop(true);
        if let Some(python) = &task.python {
            command.arg("--python").arg(python);
        }
        match &task.token {
            Some(token) => command.env(TOKEN, token.reveal()),
            None => command.env_remove(TOKEN),
        };
        command.spawn().map_err(|error| {
            Error::new(Code::Internal, format!("{} cannot be started", self.path.display())).source(error)
        })
    }
}

/// An executor that refuses its options would refuse them again.
fn cannot_work(status: std::io::Result<std::process::ExitStatus>) -> Option<Error> {
    let code = status.ok()?.code()?;
    (code == 2).then(|| Error::new(Code::BadInput, "an executor refuses its options; it has told why"))
}
