use std::ffi::OsString;
use std::path::PathBuf;

/// Bytes of rows that a function is given at once, at most, unless a group is larger: 64 MiB.
const CHUNK_BYTES: usize = 64 << 20;

/// A variable with another number, so that tests need few rows.
const CHUNK_BYTES_VARIABLE: &str = "CARDOON_DATA_CHUNK_BYTES";

/// How functions of Python are carried out.
#[derive(Debug, Clone)]
pub struct Python {
    /// The interpreter.
    pub program: PathBuf,
    /// What makes it a child.
    pub words: Vec<OsString>,
    /// Processes that work at once, 1 or more.
    pub children: usize,
    /// Bytes of rows that a function is given at once, at most.
    pub chunk_bytes: usize,
}

impl Python {
    /// `program` is an interpreter that has the package `cardoon-data`.
    pub fn new(program: impl Into<PathBuf>, children: usize) -> Self {
        let chunk_bytes = std::env::var(CHUNK_BYTES_VARIABLE)
            .ok()
            .and_then(|bytes| bytes.parse().ok())
            .unwrap_or(CHUNK_BYTES);
        Self {
            program: program.into(),
            words: ["-m", "cardoon_data._child"].map(OsString::from).into(),
            children: children.max(1),
            chunk_bytes,
        }
    }

    /// The same with chunks of which those that are under way fit into half of `memory` bytes.
    #[must_use]
    pub(super) fn within(self, memory: usize) -> Self {
        // The rows themselves, how they are sent, how the answer came, and its rows.
        let chunk_bytes = self.chunk_bytes.min(memory / 2 / (4 * self.children));
        Self { chunk_bytes, ..self }
    }
}
