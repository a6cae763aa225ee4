//! Parquet and JSON lines, which DataFusion reads itself.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Component, Path, PathBuf};
use std::slice;
use std::sync::Arc;

use cardoon_errors::{Code, Error};
use datafusion::catalog::TableProvider;
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use datafusion::datasource::file_format::json::JsonFormat;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::{ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl};
use datafusion::error::{DataFusionError, Result};
use datafusion::prelude::{SessionConfig, SessionContext};
use futures_util::{StreamExt as _, future, stream};
use url::Url;

use super::location::Location;
use super::{Place, json};
use crate::errors::{self, IntoEngine as _};
use crate::session;
use crate::stores::{Object, Stores};

/// Bytes at the begin of a file in which an array must begin, and at its end in which it must end.
const LOOKED_AT: u64 = 4096;

/// A number that the samples take for whole would be cut later, so that all rows are looked at.
const SAMPLED: usize = usize::MAX;

/// Files that are looked at together for the one that is broken.
const AT_A_TIME: usize = 16;

pub(super) async fn parquet(files: &[Location]) -> Result<Arc<dyn TableProvider>> {
    // The engine takes such a file for one without rows, but it is one whose writer has failed.
    if let Some(empty) = files.iter().find(|file| file.bytes() == 0) {
        return Err(errors::empty(&empty.to_string()).into_engine());
    }
    let format: Arc<dyn FileFormat> = Arc::new(ParquetFormat::default());
    // The engine looks at the first file alone before it plans, and does not name the others later.
    if files.len() > 1
        && let Some(broken) = first_broken(files, format.clone()).await
    {
        return Err(broken);
    }
    match open(files, format.clone()).await {
        Ok(table) => Ok(table),
        Err(error) => Err(first_broken(files, format).await.unwrap_or(error)),
    }
}

/// An object in each line, or one array of objects.
pub(super) async fn json(files: &[Location], place: Place) -> Result<Arc<dyn TableProvider>> {
    let compression = compression(files).map_err(Error::into_engine)?;
    let is_array = match files.first() {
        Some(Location::Local(path)) => begins_with_bracket(path),
        Some(Location::Object(object)) => {
            object_begins_with_bracket(object).await.map_err(Error::into_engine)?
        }
        None => false,
    };
    if place == Place::Executors && (is_array || compression.is_compressed()) {
        return Err(only_lines().into_engine());
    }
    // The engine takes the end of a file for the end of the array.
    if is_array
        && !compression.is_compressed()
        && !files.iter().all(ends_with_bracket)
        && let Some(fault) = json::first_fault(files, is_array).await
    {
        return Err(fault);
    }
    let format = JsonFormat::default()
        .with_file_compression_type(compression)
        .with_schema_infer_max_rec(SAMPLED)
        .with_newline_delimited(!is_array);
    match open(files, Arc::new(format)).await {
        Ok(table) => Ok(table),
        Err(error) => Err(json::first_fault(files, is_array).await.unwrap_or(error)),
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

/// Whether an array begins there. A file that cannot be read says so later.
fn begins_with_bracket(file: &Path) -> bool {
    let Ok(file) = File::open(file) else { return false };
    let mut begin = Vec::new();
    let read = file.take(LOOKED_AT).read_to_end(&mut begin);
    read.is_ok() && begin.trim_ascii_start().starts_with(b"[")
}

/// Whether an array may end there. Objects are not looked at.
fn ends_with_bracket(file: &Location) -> bool {
    let Location::Local(path) = file else { return true };
    let end = || {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(LOOKED_AT)))?;
        let mut end = Vec::new();
        file.take(LOOKED_AT).read_to_end(&mut end)?;
        io::Result::Ok(end)
    };
    // One that cannot be read says so later.
    end().map_or(true, |end| end.trim_ascii_end().ends_with(b"]"))
}

async fn object_begins_with_bracket(object: &Object) -> Result<bool, Error> {
    if object.bytes == 0 {
        return Ok(false);
    }
    let bucket = Stores::of_process()?.bucket(&object.url.bucket, object.options.as_deref())?;
    let begin = bucket.read(&object.url.key, 0..object.bytes.min(LOOKED_AT), object.etag.clone()).await?;
    Ok(begin.trim_ascii_start().starts_with(b"["))
}

async fn open(files: &[Location], format: Arc<dyn FileFormat>) -> Result<Arc<dyn TableProvider>> {
    let urls =
        files.iter().map(|file| ListingTableUrl::try_new(url(file)?, None)).collect::<Result<Vec<_>>>()?;
    // The files have been found already, whatever their names end in.
    let options = ListingOptions::new(format).with_file_extension("");
    let state = SessionContext::new_with_config_rt(SessionConfig::new(), session::finding()?).state();
    let config = ListingTableConfig::new_with_multi_paths(urls)
        .with_listing_options(options)
        .infer_schema(&state)
        .await?;
    Ok(Arc::new(ListingTable::try_new(config)?))
}

/// The error of the first of many files that cannot be opened, which the engine does not name.
async fn first_broken(files: &[Location], format: Arc<dyn FileFormat>) -> Option<DataFusionError> {
    let opened = stream::iter(files.to_vec()).map(|file| {
        let format = format.clone();
        async move {
            let error = open(slice::from_ref(&file), format).await.err()?;
            Some(errors::broken(&file.to_string(), &error).unwrap_or(error))
        }
    });
    let mut faults = opened.buffered(AT_A_TIME).filter_map(future::ready);
    faults.next().await
}

/// The whole path of a file, without `..`, which the engine refuses.
fn plain(path: &Path) -> io::Result<PathBuf> {
    let path = std::path::absolute(path)?;
    if path.components().any(|part| part == Component::ParentDir) { path.canonicalize() } else { Ok(path) }
}

/// By its parts, since brackets and stars in a name are no pattern any more.
fn url(file: &Location) -> Result<Url> {
    let none = || errors::internal("a file has no URL").into_engine();
    match file {
        Location::Local(path) => Url::from_file_path(plain(path)?).map_err(|()| none()),
        Location::Object(Object { url: object, options, .. }) => {
            let mut url = Url::parse(&format!("s3://{}", object.bucket)).map_err(|_| none())?;
            url.set_username(options.as_deref().unwrap_or_default()).map_err(|()| none())?;
            url.path_segments_mut().map_err(|()| none())?.extend(object.key.split('/'));
            Ok(url)
        }
    }
}
