//! A scheduler in this process, and executors in processes of their own.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use cardoon_cluster::{
    Address, Client, Scheduler, SchedulerSettings, Token, may_run_functions, private_folder,
};
use cardoon_errors::{Code, Error, Result};
use futures_util::future::try_join_all;
use tempfile::TempDir;
use tokio::time::{interval, timeout};

use crate::processes::{Program, Task};

/// How long executors may take until the scheduler knows them.
const START: Duration = Duration::from_secs(30);

/// How often it is looked whether they are there.
const STEP: Duration = Duration::from_millis(10);

#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) workers: usize,
    /// Of each executor.
    pub(crate) threads: usize,
    /// Bytes that each executor may use; by default its share of seven tenths of the machine's.
    pub(crate) memory: Option<u64>,
    pub(crate) bind: SocketAddr,
    pub(crate) folder: Option<PathBuf>,
    pub(crate) token: Option<Token>,
    /// The interpreter that carries out functions.
    pub(crate) python: Option<PathBuf>,
}

pub(crate) struct LocalCluster {
    scheduler: Scheduler,
    program: Program,
    workers: usize,
    task: Task,
    _folder: TempDir,
}

/// Tells when all executors are there.
pub(crate) struct Ready {
    address: Address,
    token: Option<Token>,
    workers: usize,
}

impl LocalCluster {
    pub(crate) async fn bind(settings: Settings, program: Program) -> Result<Self> {
        if settings.python.is_some() {
            may_run_functions(settings.token.as_ref())?;
        }
        let scheduler =
            Scheduler::bind(SchedulerSettings { bind: settings.bind, token: settings.token.clone() }).await?;
        let folder = folder(settings.folder.as_ref())?;
        let task = Task {
            scheduler: scheduler.address().clone(),
            token: settings.token.clone(),
            threads: settings.threads,
            memory: memory(&settings)?,
            folder: folder.path().to_owned(),
            python: settings.python,
        };
        Ok(Self { scheduler, program, workers: settings.workers, task, _folder: folder })
    }

    pub(crate) fn ready(&self) -> Ready {
        let Task { scheduler, token, .. } = &self.task;
        Ready { address: scheduler.clone(), token: token.clone(), workers: self.workers }
    }

    /// Schedules and keeps executors running, for ever.
    pub(crate) async fn run(self) -> Result<()> {
        let Self { scheduler, program, workers, task, _folder } = self;
        tokio::select! {
            ended = scheduler.serve() => ended,
            ended = try_join_all((0..workers).map(|_| program.keep_executor(&task))) => ended.map(|_| ()),
        }
    }
}

impl Ready {
    pub(crate) fn address(&self) -> &Address {
        &self.address
    }

    pub(crate) async fn wait(&self) -> Result<()> {
        let workers = self.workers;
        timeout(START, self.all_there()).await.map_err(|_| {
            Error::new(Code::NoExecutors, "the cluster has no executors")
                .checked(format!("{workers} were started {} s ago", START.as_secs()))
        })?
    }

    async fn all_there(&self) -> Result<()> {
        let client = Client::connect(self.address.clone(), self.token.clone()).await?;
        let mut rounds = interval(STEP);
        while client.state().await?.executors.len() < self.workers {
            rounds.tick().await;
        }
        Ok(())
    }
}

fn folder(within: Option<&PathBuf>) -> Result<TempDir> {
    let folder = private_folder(within.map(PathBuf::as_path), "cardoon-cluster-");
    folder.map_err(|error| {
        Error::new(Code::BadInput, "there is no folder for the executors' files").source(error)
    })
}

/// What each executor may use, said before any is started.
fn memory(settings: &Settings) -> Result<u64> {
    if let Some(each) = settings.memory {
        return cardoon_engine::memory(Some(each));
    }
    let share = cardoon_engine::memory(None)? / settings.workers.max(1) as u64;
    Ok(share.max(cardoon_engine::MINIMUM_MEMORY))
}
