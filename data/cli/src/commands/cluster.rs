use std::net::SocketAddr;
use std::path::PathBuf;

use cardoon_errors::Result;
use cardoon_settings::{ByteSize, parse_byte_size};

use super::options::{self, Secret};
use crate::local_cluster::{self, LocalCluster};
use crate::processes::Program;
use crate::{rows, talk};

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
    /// Carry out functions of Python with this interpreter, which has the package cardoon-data; needs a token
    #[arg(long, value_name = "PROGRAM")]
    python: Option<PathBuf>,
    #[command(flatten)]
    secret: Secret,
    /// End when standard input does
    #[arg(long, hide = true)]
    with_parent: bool,
}

/// Schedules, and keeps executors running, until it is told to stop. When all executors are there the address goes to
/// standard output.
pub(crate) async fn run(options: Options, program: Program) -> Result<()> {
    let settings = local_cluster::Settings {
        workers: options.workers.into(),
        threads: options.threads.into(),
        memory: options.memory.map(|size| size.0),
        bind: options.bind,
        folder: options.folder,
        token: options.secret.token()?,
        python: options.python,
    };
    let cluster = LocalCluster::bind(settings, program).await?;
    let ready = cluster.ready();
    let told = async {
        ready.wait().await?;
        let (workers, address) = (options.workers, ready.address());
        talk::say(
            format!(
                "{workers} executors work at {address}: cardoon data sql --cluster {address} \"select …\""
            ),
            format!(
                "{workers} 个执行器已在 {address} 就绪：cardoon data sql --cluster {address} \"select …\""
            ),
        );
        rows::text(&format!("tcp://{address}"))?;
        std::future::pending().await
    };
    tokio::select! {
        ended = cluster.run() => ended,
        failed = told => failed,
        () = options::end_of_input(options.with_parent) => Ok(()),
    }
}
