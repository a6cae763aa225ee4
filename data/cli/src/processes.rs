//! The executors of a cluster on this machine, as processes of their own.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use cardoon_cluster::{Address, Token};
use cardoon_errors::{Code, Error, Result};
use tokio::process::{Child, Command};

use crate::commands::TOKEN;

/// How long a process that has died is not started again, so that one that dies at once does not keep a processor busy.
const PAUSE: Duration = Duration::from_millis(200);

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
}

impl Program {
    /// The program that runs.
    pub fn of_this() -> Self {
        Self { path: std::env::current_exe().unwrap_or_else(|_| "cardoon-data".into()), words: Vec::new() }
    }

    /// Keeps an executor running, for ever. One that dies is started again.
    pub(crate) async fn keep_executor(&self, task: &Task) -> Result<()> {
        loop {
            let mut child = self.start(task)?;
            // Waiting would close it.
            let _alive = child.stdin.take();
            let status = child.wait().await;
            if let Some(message) = cannot_work(status) {
                return Err(message);
            }
            tokio::time::timeout(PAUSE, std::future::pending::<()>()).await.unwrap_or_default();
        }
    }

    fn start(&self, task: &Task) -> Result<Child> {
        let mut command = Command::new(&self.path);
        command
            .args(&self.words)
            .args(["executor", "--with-parent", "--scheduler", &task.scheduler.to_string()])
            .args(["--threads", &task.threads.to_string(), "--memory", &format!("{}B", task.memory)])
            .arg("--folder")
            .arg(&task.folder)
            // An executor ends when this pipe does, however this process ends.
            .stdin(Stdio::piped())
            .kill_on_drop(true);
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
