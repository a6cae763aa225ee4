use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::pin::pin;
use std::time::Duration;

use cardoon_cluster::{Address, Executor, ExecutorSettings};
use cardoon_engine::Python;
use cardoon_errors::{Code, Result};
use cardoon_settings::{ByteSize, parse_byte_size};
use tokio::time::{Instant, interval_at, timeout};

use super::options::{self, Secret};
use crate::talk;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The scheduler to work for: HOST:PORT
    #[arg(long, value_name = "ADDRESS")]
    scheduler: Address,
    /// Where others fetch what it has produced; port 0 means a free one
    #[arg(long, value_name = "ADDRESS", default_value_t = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0))]
    bind: SocketAddr,
    /// The host under which others reach it [default: as the scheduler sees it]
    #[arg(long, value_name = "HOST")]
    host: Option<String>,
    /// Threads that work [default: one for each processor]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Memory that the process may use, 256MiB or more [default: seven tenths of the machine's]
    #[arg(long, value_name = "SIZE", value_parser = parse_byte_size)]
    memory: Option<ByteSize>,
    /// Folder for what it produces and for data that does not fit into the memory [default: the system's for temporary files]
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
    /// Carry out functions of Python with this interpreter, which has the package cardoon-data; needs a token
    #[arg(long, value_name = "PROGRAM")]
    python: Option<PathBuf>,
    #[command(flatten)]
    secret: Secret,
    /// End when standard input does
    #[arg(long, hide = true)]
    with_parent: bool,
}

/// How long it waits before it tries to reach a scheduler again.
const PAUSE: Duration = Duration::from_secs(1);

/// Works until it is told to stop. An executor whose scheduler is away ends, and another one takes its place when the
/// scheduler is there again; one that was started by `cardoon data cluster` is started again by it.
pub(crate) async fn run(options: Options) -> Result<()> {
    let threads = options.threads.map_or_else(options::processors, usize::from);
    let settings = ExecutorSettings {
        scheduler: options.scheduler,
        token: options.secret.token()?,
        bind: options.bind,
        host: options.host,
        threads,
        memory: options.memory.map(|size| size.0),
        folder: options.folder,
        python: options.python.map(|program| Python::new(program, threads)),
    };
    let first = Executor::start(settings.clone()).await?;
    if options.with_parent {
        return with_parent(first).await;
    }
    tell(&settings);
    let mut ended = first.run().await;
    loop {
        match ended {
            Err(error) if error.code() == Code::NoCluster => ended = again(&settings).await,
            ended => return ended,
        }
    }
}

/// Works until standard input ends. A parent that goes takes the scheduler with it, which is no error.
async fn with_parent(executor: Executor) -> Result<()> {
    let mut gone = pin!(options::end_of_input(true));
    tokio::select! {
        ended = executor.run() => timeout(PAUSE, gone).await.or(ended),
        () = &mut gone => Ok(()),
    }
}

async fn again(settings: &ExecutorSettings) -> Result<()> {
    interval_at(Instant::now() + PAUSE, PAUSE).tick().await;
    let executor = Executor::start(settings.clone()).await?;
    tell(settings);
    executor.run().await
}

fn tell(ExecutorSettings { scheduler, threads, .. }: &ExecutorSettings) {
    talk::say(
        format!("works for {scheduler} with {threads} threads"),
        format!("以 {threads} 个线程为 {scheduler} 工作"),
    );
}
