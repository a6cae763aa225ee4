use std::path::PathBuf;

use cardoon_frame::CsvOptions;

use crate::Python;

/// What an engine may use.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Bytes that the process may have resident. By default seven tenths of the machine's memory, or of the container's.
    /// Less than [`crate::MINIMUM_MEMORY`] is refused.
    pub memory: Option<u64>,
    /// Threads that work on a query. By default one for each processor.
    pub threads: Option<usize>,
    /// Where data goes that does not fit into the memory. By default a folder of its own in the system's folder for
    /// temporary files; it is removed with the engine.
    pub spill_folder: Option<PathBuf>,
    /// Folders and URLs of an object store that files may be read from and written to, with all that is below them. Empty:
    /// everything. Folders alone allow no URL.
    pub roots: Vec<PathBuf>,
    /// How CSV files are read that a query in SQL names.
    pub csv: CsvOptions,
    /// How functions of Python are carried out. They are not by default.
    pub python: Option<Python>,
}

impl Settings {
    /// All defaults.
    pub fn new() -> Self {
        Self {
            memory: None,
            threads: None,
            spill_folder: None,
            roots: Vec::new(),
            csv: CsvOptions::default(),
            python: None,
        }
    }

    pub(crate) fn threads(&self) -> usize {
        self.threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, Into::into)).max(1)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self::new()
    }
}
