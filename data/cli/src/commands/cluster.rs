use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use cardoon_cluster::{Address, Client, Scheduler, SchedulerSettings};
use cardoon_errors::{Code, Error, Result};
use cardoon_settings::{ByteSize, parse_byte_size};
use futures_util::future::try_join_all;
use tokio::time::{interval, timeout};

use super::options::Secret;
use crate::processes::{Program, Task};
use crate::{rows, talk};

/// How long executors may take until the scheduler knows them.
const START: Duration = Duration::from_secs(30);

/// How often it is looked whether they are there.
const STEP: Duration = Duration::from_millis(20);

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Executors to start
    #[arg(long, value_name = "NUMBER", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=256))]
    workers: u16,
    /// Threads of each executor
    #[arg(long, value_name = "NUMBER", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: u16,
    /// Memory that each executor may use, 256MiB or more [default: its share of seven tenths of the machine's]
    #[arg(long, value_name = "SIZE", value_parser = parse_byte_size)]
    memory: Option<ByteSize>,
    /// Where the scheduler listens; port 0 means a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8787")]
    bind: SocketAddr,
    /// Folder for what executors produce and for data that does not fit into the memory [default: the system's for temporary files]
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
    #[command(flatten)]
    secret: Secret,
}

/// Schedules, and keeps executors running, until it is told to stop. When all executors are there the address goes to
/// standard output.
pub(crate) async fn run(options: Options, program: Program) -> Result<()> {
    let token = options.secret.token()?;
    let scheduler = Scheduler::bind(SchedulerSettings { bind: options.bind, token: token.clone() }).await?;
    let address = scheduler.address().clone();
    let folder = folder(options.folder.as_ref())?;
    let task = Task {
        scheduler: address.clone(),
        token: options.secret.token.clone(),
        threads: options.threads.into(),
        memory: memory(&options)?,
        folder: folder.path().to_owned(),
    };
    let executors = try_join_all((0..options.workers).map(|_| program.keep_executor(&task)));
    let told = async {
        tell(&address, token, usize::from(options.workers)).await?;
        std::future::pending::<Result<()>>().await
    };
    tokio::select! {
        ended = scheduler.serve() => ended,
        ended = executors => ended.map(|_| ()),
        failed = told => failed,
    }
}

async fn tell(address: &Address, token: Option<cardoon_cluster::Token>, workers: usize) -> Result<()> {
    timeout(START, all_there(address, token, workers)).await.map_err(|_| {
        Error::new(Code::NoExecutors, "the cluster has no executors")
            .checked(format!("{workers} were started {} s ago", START.as_secs()))
    })??;
    talk::say(
        format!("{workers} executors work at {address}: cardoon data sql --cluster {address} \"select …\""),
        format!("{workers} 个执行器已在 {address} 就绪:cardoon data sql --cluster {address} \"select …\""),
    );
    rows::text(&format!("tcp://{address}"))
}

async fn all_there(address: &Address, token: Option<cardoon_cluster::Token>, workers: usize) -> Result<()> {
    let client = Client::connect(address.clone(), token).await?;
    let mut rounds = interval(STEP);
    while client.state().await?.executors.len() < workers {
        rounds.tick().await;
    }
    Ok(())
}

fn folder(within: Option<&PathBuf>) -> Result<tempfile::TempDir> {
    let mut name = tempfile::Builder::new();
    name.prefix("cardoon-cluster-");
    let folder = match within {
        Some(within) => std::fs::create_dir_all(within).and_then(|()| name.tempdir_in(within)),
        None => name.tempdir(),
    };
    folder.map_err(|error| {
        Error::new(Code::BadInput, "there is no folder for the executors' files").source(error)
    })
}

/// What each executor may use, said before any is started.
fn memory(options: &Options) -> Result<u64> {
    let share = cardoon_engine::memory(options.memory.map(|size| size.0))?;
    let each = if options.memory.is_some() { share } else { share / u64::from(options.workers) };
    Ok(each.max(cardoon_engine::MINIMUM_MEMORY))
}
