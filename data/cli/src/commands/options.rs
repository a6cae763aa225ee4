//! Options that several commands share.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use cardoon_cluster::{Address, Client, Token};
use cardoon_engine::{Engine, Settings};
use cardoon_errors::Result;
use cardoon_settings::{ByteSize, parse_byte_size};
use tokio::sync::oneshot;

/// The variable that holds a cluster's token.
pub(crate) const TOKEN: &str = "CARDOON_DATA_TOKEN";

/// What scheduler, executors and clients of a cluster share.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub(crate) struct Secret {
    /// The cluster's token, without which it listens on loopback only
    #[arg(long, value_name = "TOKEN", env = TOKEN, hide_env_values = true)]
    pub(crate) token: Option<String>,
}

impl Secret {
    pub(crate) fn token(&self) -> Result<Option<Token>> {
        self.token.clone().filter(|token| !token.is_empty()).map(Token::new).transpose()
    }
}

/// Where a query is carried out.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub(crate) struct Place {
    /// Have the executors of this cluster carry it out, instead of this process
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) cluster: Option<Address>,
    #[command(flatten)]
    secret: Secret,
}

impl Place {
    pub(crate) async fn engine(&self, settings: Settings) -> Result<Engine> {
        match &self.cluster {
            Some(address) => {
                let client = Client::connect(address.clone(), self.secret.token()?).await?;
                Engine::on(Arc::new(client), settings)
            }
            None => Engine::new(settings),
        }
    }
}

pub(crate) fn executor_command(scheduler: &Address) -> String {
    format!("cardoon data executor --scheduler {scheduler}")
}

/// Waits until standard input ends, if `wanted`; else for ever.
pub(crate) async fn end_of_input(wanted: bool) {
    if !wanted {
        return std::future::pending().await;
    }
    let (ended, wait) = oneshot::channel();
    // The runtime would not end before a thread of its own that reads.
    let reader = thread::Builder::new().name("cardoon-stdin".to_owned()).spawn(move || {
        // Whatever ends the input, the parent is not there any more.
        let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
        let _ = ended.send(());
    });
    if reader.is_ok() {
        let _ = wait.await;
    }
}

pub(crate) fn processors() -> usize {
    thread::available_parallelism().map_or(1, Into::into)
}

/// What a query may use.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub(crate) struct Resources {
    /// Memory that the process may use, 256MiB or more [default: seven tenths of the machine's]
    #[arg(long, value_name = "SIZE", value_parser = parse_byte_size)]
    memory: Option<ByteSize>,
    /// Threads [default: one for each processor]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Folder for data that does not fit into the memory [default: the system's for temporary files]
    #[arg(long, value_name = "FOLDER")]
    spill_folder: Option<PathBuf>,
    /// Read and write only below this folder or this s3:// URL; may be given several times
    #[arg(long = "root", value_name = "FOLDER")]
    roots: Vec<PathBuf>,
}

impl Resources {
    pub(crate) fn settings(&self) -> Settings {
        Settings {
            memory: self.memory.map(|size| size.0),
            threads: self.threads.map(usize::from),
            spill_folder: self.spill_folder.clone(),
            roots: self.roots.clone(),
            ..Settings::new()
        }
    }
}
