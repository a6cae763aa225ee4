//! What becomes of the rows of a query: bytes in a format, or a file or an object that appears when it is whole.

mod claim;
mod fence;
mod file;
mod object;
mod writer;

use std::io;
use std::path::{Path, PathBuf};

use cardoon_errors::{Code, Error, Result};
use datafusion::error::DataFusionError;

pub use fence::Fence;
pub use writer::Writer;

use crate::stores::ObjectUrl;
use crate::{Rows, Summary};

/// Why rows were not written.
pub(crate) enum Failure {
    Query(DataFusionError),
    Output(Error),
}

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputFormat {
    /// With the names of the columns in the first row.
    Csv,
    /// One array of objects.
    Json,
    /// An object in each line.
    JsonLines,
    Parquet,
}

/// A file that is to be written. One of this name is replaced.
#[derive(Debug, Clone)]
pub struct Output {
    /// A path, or the URL of an object: `s3://bucket/key`.
    pub path: PathBuf,
    pub format: OutputFormat,
    /// The run of a task that writes it; a run that another one has overtaken is refused.
    pub fence: Option<Fence>,
    /// The name of options by which an object store is reached.
    pub store_options: Option<String>,
}

/// Writes all rows to the wanted place.
pub(crate) async fn write(rows: &mut Rows, output: &Output) -> Result<Summary, Failure> {
    match ObjectUrl::of(&output.path.to_string_lossy()).map_err(Failure::Output)? {
        Some(url) => object::write(rows, output, &url).await,
        None => file::write(rows, output).await,
    }
}

/// An error of ours, within what the writer of a format makes of it.
pub fn of_writer(error: &io::Error) -> Option<Error> {
    error.get_ref()?.downcast_ref().cloned()
}

impl Output {
    /// The format is told by the end of the name. Errors with [`Code::NoFormat`] if it tells none.
    pub fn named(path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        match OutputFormat::of(&path) {
            Some(format) => Ok(Self { path, format, fence: None, store_options: None }),
            None => Err(Error::new(
                Code::NoFormat,
                format!("the name of {} does not say what to write", path.display()),
            )
            .hint("end the name in .csv, .json, .jsonl or .parquet")),
        }
    }
}

impl OutputFormat {
    fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_string_lossy().to_lowercase().as_str() {
            "csv" => Some(Self::Csv),
            "json" => Some(Self::Json),
            "jsonl" | "ndjson" => Some(Self::JsonLines),
            "parquet" | "pq" => Some(Self::Parquet),
            _ => None,
        }
    }
}
