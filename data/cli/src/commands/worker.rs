use std::path::PathBuf;

use cardoon::{App, Worker};
use cardoon_errors::{Code, Error, Result};
use cardoon_settings::{ByteSize, parse_byte_size};

use super::options::Place;
use crate::talk;
use crate::tasks::{self, Limits};

/// Memory of a query if nothing else is said, in bytes: 1 GiB.
const MEMORY: ByteSize = ByteSize(1 << 30);

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Queues to take from: data,reports
    #[arg(short = 'Q', long, value_delimiter = ',', default_value = "data")]
    queues: Vec<String>,
    /// Queries to carry out at once
    #[arg(short, long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=64))]
    concurrency: u32,
    /// Where tasks come from [default: as the settings say]
    #[arg(short, long, value_name = "URL")]
    broker: Option<String>,
    /// Memory that each query may use, 256MiB or more [default: 1GiB]
    #[arg(long, value_name = "SIZE", value_parser = parse_byte_size)]
    memory: Option<ByteSize>,
    /// Threads of each query [default: one for each processor]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Folder or s3:// URL that queries may read from and write to; may be given several times [default: the current folder]
    #[arg(long = "root", value_name = "FOLDER")]
    roots: Vec<PathBuf>,
    #[command(flatten)]
    place: Place,
}

/// Executes `cardoon.data.sql` until it is told to stop.
pub(crate) async fn run(options: Options) -> Result<()> {
    let limits = Limits { settings: settings(&options)?, place: options.place };
    // What is wrong with the limits is said now, and not by each task.
    limits.engine().await?;
    let app = match &options.broker {
        Some(url) => App::connect(url).await?,
        None => App::open_default().await?,
    };
    let queues = options.queues.join(", ");
    talk::say(
        format!("executes cardoon.data.sql from {queues}"),
        format!("执行队列 {queues} 里的 cardoon.data.sql"),
    );
    Worker::builder(&app)
        .task::<tasks::sql>()
        .state(limits)
        .queues(options.queues)
        .concurrency(options.concurrency)
        .run()
        .await?;
    Ok(())
}

fn settings(options: &Options) -> Result<cardoon_engine::Settings> {
    let roots = if options.roots.is_empty() { vec![here()?] } else { options.roots.clone() };
    Ok(cardoon_engine::Settings {
        memory: Some(options.memory.unwrap_or(MEMORY).0),
        threads: options.threads.map(usize::from),
        roots,
        ..cardoon_engine::Settings::new()
    })
}

fn here() -> Result<PathBuf> {
    std::env::current_dir().map_err(|error| {
        Error::new(Code::BadInput, "there is no current folder").source(error).hint("name one with --root")
    })
}
