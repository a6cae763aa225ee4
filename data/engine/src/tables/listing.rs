//! Parquet and JSON lines, which DataFusion reads itself.

use std::path::PathBuf;
use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use datafusion::datasource::file_format::json::JsonFormat;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::{ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl};
use datafusion::error::Result;
use datafusion::prelude::SessionContext;

/// Rows of each file from which the columns of JSON lines are inferred.
const SAMPLED: usize = 10_000;

pub(super) async fn parquet(files: &[PathBuf]) -> Result<Arc<dyn TableProvider>> {
    open(files, Arc::new(ParquetFormat::default())).await
}

pub(super) async fn json_lines(files: &[PathBuf]) -> Result<Arc<dyn TableProvider>> {
    let packed =
        files.first().and_then(|file| file.extension()).map(|end| end.to_string_lossy().to_lowercase());
    let compression = match packed.as_deref() {
        Some("gz") => FileCompressionType::GZIP,
        Some("zst") => FileCompressionType::ZSTD,
        _ => FileCompressionType::UNCOMPRESSED,
    };
    let format =
        JsonFormat::default().with_file_compression_type(compression).with_schema_infer_max_rec(SAMPLED);
    open(files, Arc::new(format)).await
}

async fn open(files: &[PathBuf], format: Arc<dyn FileFormat>) -> Result<Arc<dyn TableProvider>> {
    let urls = files
        .iter()
        .map(|file| ListingTableUrl::parse(std::path::absolute(file)?.to_string_lossy()))
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
