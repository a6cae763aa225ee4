//! Parquet and JSON lines, which DataFusion reads itself.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cardoon_errors::{Code, Error};
use datafusion::catalog::TableProvider;
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use datafusion::datasource::file_format::json::JsonFormat;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::{ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl};
use datafusion::error::Result;
use datafusion::prelude::SessionContext;
use url::Url;

use super::Place;
use crate::errors::{self, IntoEngine as _};

/// Bytes at the begin of a file in which an array must begin.
const LOOKED_AT: u64 = 4096;

/// A number that the samples take for whole would be cut later, so that all rows are looked at.
const SAMPLED: usize = usize::MAX;

pub(super) async fn parquet(files: &[PathBuf]) -> Result<Arc<dyn TableProvider>> {
    open(files, Arc::new(ParquetFormat::default())).await
}

/// An object in each line, or one array of objects.
pub(super) async fn json(files: &[PathBuf], place: Place) -> Result<Arc<dyn TableProvider>> {
    let compression = compression(files).map_err(Error::into_engine)?;
    let is_array = files.first().is_some_and(|file| begins_with_bracket(file));
    if place == Place::Executors && (is_array || compression.is_compressed()) {
        return Err(only_lines().into_engine());
    }
    let format = JsonFormat::default()
        .with_file_compression_type(compression)
        .with_schema_infer_max_rec(SAMPLED)
        .with_newline_delimited(!is_array);
    open(files, Arc::new(format)).await
}

/// Neither of the two is in the plan that executors get.
fn only_lines() -> Error {
    Error::new(Code::NoFormat, "a cluster reads JSON as lines that are not compressed")
        .hint("write one object in each line of a plain file, or leave out --cluster")
}

/// That of all files, which must be the same.
fn compression(files: &[PathBuf]) -> Result<FileCompressionType, Error> {
    let of = |file: &PathBuf| file.extension().map(|end| end.to_string_lossy().to_lowercase());
    let packed = |file: &PathBuf| of(file).filter(|end| matches!(end.as_str(), "gz" | "zst"));
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

/// Whether an array begins there. A file that cannot be read says so later.
fn begins_with_bracket(file: &Path) -> bool {
    let Ok(file) = File::open(file) else { return false };
    let mut begin = Vec::new();
    let read = file.take(LOOKED_AT).read_to_end(&mut begin);
    read.is_ok() && begin.trim_ascii_start().starts_with(b"[")
}

async fn open(files: &[PathBuf], format: Arc<dyn FileFormat>) -> Result<Arc<dyn TableProvider>> {
    let urls = files
        .iter()
        .map(|file| {
            let path = std::path::absolute(file)?;
            // By its parts, since brackets and stars in a name are no pattern any more.
            let url = Url::from_file_path(&path)
                .map_err(|()| errors::internal("a path is not absolute").into_engine())?;
            ListingTableUrl::try_new(url, None)
        })
        .collect::<Result<Vec<_>>>()?;
    // The files have been found already, whatever their names end in.
    let options = ListingOptions::new(format).with_file_extension("");
    let state = SessionContext::new().state();
    let config = ListingTableConfig::new_with_multi_paths(urls)
        .with_listing_options(options)
        .infer_schema(&state)
        .await?;
    Ok(Arc::new(ListingTable::try_new(config)?))
}
