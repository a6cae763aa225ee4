//! Options that several commands share.

use std::path::PathBuf;

use cardoon_engine::Settings;
use cardoon_settings::{ByteSize, parse_byte_size};

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
    /// Read files only from this folder; may be given several times
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
