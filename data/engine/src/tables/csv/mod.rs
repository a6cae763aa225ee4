//! CSV files, read by our own scan.

mod columns;
mod cuts;
mod estimate;
mod exec;
mod failure;
mod files;
mod remote;
mod rows;
mod source;
mod spread;
mod table;

use std::io::{self, Read as _};
use std::sync::Arc;

use cardoon_csv::{Input, Kind};
use cardoon_errors::Error;
use cardoon_frame::Scan;
use datafusion::catalog::TableProvider;
use datafusion::error::Result;
use datafusion::physical_plan::ExecutionPlan;

use super::Place;
use super::location::Location;
pub(crate) use cuts::Cuts;
use files::Files;
use table::CsvTable;

/// The step that reads CSV files, for an executor; nothing if `plan` is another step.
pub(crate) fn encode(plan: &dyn ExecutionPlan) -> Result<Option<Vec<u8>>> {
    remote::encode(plan)
}

/// What [`encode`] has encoded.
pub(crate) fn decode(sent: &[u8]) -> Result<Arc<dyn ExecutionPlan>> {
    remote::decode(sent)
}

/// Bytes of all files of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Length {
    Known(u64),
    /// Some are compressed.
    Unknown,
}

/// How long the files of a step are that reads CSV; nothing if `plan` is another step.
pub(crate) fn length(plan: &dyn ExecutionPlan) -> Option<Length> {
    exec::length(plan).or_else(|| remote::length(plan))
}

impl FromIterator<Option<u64>> for Length {
    fn from_iter<I: IntoIterator<Item = Option<u64>>>(each: I) -> Self {
        each.into_iter().sum::<Option<u64>>().map_or(Self::Unknown, Self::Known)
    }
}

/// A file at its begin, unpacked.
pub(super) fn unpacked(file: &Location) -> Result<Input, Error> {
    source::source(file, None)?.open().map_err(|error| unreadable(&file.to_string(), error))
}

/// The error of a file that cannot be read.
pub(super) fn unreadable(file: &str, error: io::Error) -> Error {
    failure::of_io(file, error)
}

/// The first bytes of a file, unpacked, `most` at most.
pub(super) fn begin(file: &Location, most: usize) -> Result<Vec<u8>, Error> {
    let mut begin = Vec::new();
    let read = unpacked(file)?.take(most as u64).read_to_end(&mut begin);
    read.map(|_| begin).map_err(|error| unreadable(&file.to_string(), error))
}

/// Looks at every file for its columns, and at samples of it for what they hold. `needed` tells what earlier attempts
/// have found out about a column.
pub(super) async fn open(
    scan: &Scan,
    files: Vec<Location>,
    needed: impl Fn(&str, &str) -> Option<Kind>,
    place: Place,
) -> Result<Arc<dyn TableProvider>> {
    let files = Files::open(scan, files, needed).await?;
    Ok(Arc::new(CsvTable::new(Arc::new(files), place)))
}
