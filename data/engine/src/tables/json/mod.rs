//! JSON, which DataFusion reads itself: an object in each line, or one array of objects.

mod fault;

use std::sync::Arc;

use cardoon_errors::{Code, Error};
use datafusion::catalog::TableProvider;
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use datafusion::datasource::file_format::json::JsonFormat;
use datafusion::error::Result;

use super::location::Location;
use super::{Place, listing};
use crate::errors::IntoEngine as _;

/// Bytes at the begin of a file in which an array must begin, and at its end in which it must end.
const LOOKED_AT: u64 = 4096;

/// A number that the samples take for whole would be cut later, so that all rows are looked at.
const SAMPLED: usize = usize::MAX;

pub(super) async fn open(files: &[Location], place: Place) -> Result<Arc<dyn TableProvider>> {
    let compression = compression(files).map_err(Error::into_engine)?;
    let is_array = match files.first() {
        Some(first) => begins_with_bracket(first).await.map_err(Error::into_engine)?,
        None => false,
    };
    if place == Place::Executors && (is_array || compression.is_compressed()) {
        return Err(only_lines().into_engine());
    }
    // The engine takes the end of a file for the end of the array.
    if is_array
        && !compression.is_compressed()
        && !end_with_brackets(files).await.map_err(Error::into_engine)?
        && let Some(fault) = fault::first(files, is_array).await
    {
        return Err(fault);
    }
    let format = JsonFormat::default()
        .with_file_compression_type(compression)
        .with_schema_infer_max_rec(SAMPLED)
        .with_newline_delimited(!is_array);
    match listing::open(files, Arc::new(format)).await {
        Ok(table) => Ok(table),
        Err(error) => Err(fault::first(files, is_array).await.unwrap_or(error)),
    }
}

/// Neither of the two is in the plan that executors get.
fn only_lines() -> Error {
    Error::new(Code::NoFormat, "a cluster reads JSON as lines that are not compressed")
        .hint("write one object in each line of a plain file, or leave out --cluster")
}

/// That of all files, which must be the same.
fn compression(files: &[Location]) -> Result<FileCompressionType, Error> {
    let of = |file: &Location| Some(file.name().rsplit_once('.')?.1.to_lowercase());
    let packed = |file: &Location| of(file).filter(|end| matches!(end.as_str(), "gz" | "zst"));
    let first = files.first().and_then(packed);
    if files.iter().any(|file| packed(file) != first) {
        return Err(Error::new(Code::NoFormat, "the files are not all compressed in the same way"));
    }
    Ok(match first.as_deref() {
        Some("gz") => FileCompressionType::GZIP,
        Some("zst") => FileCompressionType::ZSTD,
        _ => FileCompressionType::UNCOMPRESSED,
    })
}

/// Whether an array begins there.
async fn begins_with_bracket(file: &Location) -> Result<bool, Error> {
    Ok(file.begin(LOOKED_AT).await?.trim_ascii_start().starts_with(b"["))
}

/// Whether an array may end in each of them.
async fn end_with_brackets(files: &[Location]) -> Result<bool, Error> {
    for file in files {
        if !file.end(LOOKED_AT).await?.trim_ascii_end().ends_with(b"]") {
            return Ok(false);
        }
    }
    Ok(true)
}
