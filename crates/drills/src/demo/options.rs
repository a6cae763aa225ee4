use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// The variable of the environment by which a worker process is told its broker.
pub(super) const BROKER: &str = "CARDOON_BROKER";

/// What the mail demo does.
#[derive(Debug, Clone)]
pub struct MailOptions {
    /// Mails to `user0@example.com` and so on. Default: 1000.
    pub mails: u32,
    /// How long each task takes, sending included. Default: 50 ms.
    pub duration: Duration,
    /// Worker processes. Default: 2.
    pub workers: u32,
    /// Tasks that each of them executes at once. Default: 4.
    pub slots: u32,
    /// Kill one worker with SIGKILL when half of the mails have arrived; it is not replaced. Default: no.
    pub kill_worker: bool,
    /// The URL of the broker that the tasks go through, in a queue of their own. Default: a database of the demo's own.
    pub broker: Option<String>,
    /// How long the tasks wait in the delayed store. Default: not at all.
    pub delay: Duration,
    /// Keeps the database, the witness's file and the workers' error streams here, where no database may be yet;
    /// by default they are in a temporary folder that is removed.
    pub folder: Option<PathBuf>,
    /// How a worker process is started.
    pub worker: WorkerCommand,
}

/// A command line that ends in [`super::mail_worker`]; two arguments are added to it, the folder and a name.
#[derive(Debug, Clone)]
pub struct WorkerCommand {
    pub program: PathBuf,
    pub args: Vec<OsString>,
}

/// What happened since the last report, for a progress bar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MailProgress {
    /// The workers are ready and the tasks were sent.
    Sent,
    /// So many different mails have arrived.
    Arrived(u64),
    /// This worker was killed.
    Killed(String),
}

impl MailOptions {
    /// The defaults, with workers that `worker` starts.
    pub fn new(worker: WorkerCommand) -> Self {
        Self {
            mails: 1000,
            duration: Duration::from_millis(50),
            workers: 2,
            slots: 4,
            kill_worker: false,
            broker: None,
            delay: Duration::ZERO,
            folder: None,
            worker,
        }
    }

    /// The address of mail number `index`.
    pub(super) fn recipient(index: u32) -> String {
        format!("user{index}@example.com")
    }

    /// How long one slot would be busy with all tasks.
    pub(super) fn one_slot(&self) -> Duration {
        self.duration.saturating_mul(self.mails)
    }
}

impl WorkerCommand {
    /// The URL goes by the environment: it may hold a password, which neither files nor process lists should show.
    pub(super) fn command(&self, folder: &Path, name: &str, broker: Option<&str>) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.args).arg(folder).arg(name).env_remove(BROKER);
        if let Some(url) = broker {
            command.env(BROKER, url);
        }
        command
    }
}
