//! Parquet, which DataFusion reads itself.

use std::sync::Arc;

use cardoon_errors::Error;
use datafusion::catalog::TableProvider;
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::error::Result;

use super::listing;
use super::location::Location;
use crate::errors::{self, IntoEngine as _};

/// Bytes at the end of a file: the length of its footer, and four letters.
const END: u64 = 8;

pub(super) async fn open(files: &[Location]) -> Result<Arc<dyn TableProvider>> {
    for file in files {
        check(file).await.map_err(Error::into_engine)?;
    }
    let format: Arc<dyn FileFormat> = Arc::new(ParquetFormat::default());
    // The engine looks at the first file alone before it plans, and does not name the others later.
    if files.len() > 1
        && let Some(broken) = listing::first_broken(files, format.clone()).await
    {
        return Err(broken);
    }
    match listing::open(files, format.clone()).await {
        Ok(table) => Ok(table),
        Err(error) => Err(listing::first_broken(files, format).await.unwrap_or(error)),
    }
}

/// What the engine does not see: it takes a file without bytes for one without rows, but that is one whose writer has
/// failed, and it panics where a footer should be longer than its file. That is not asked of an object store, which takes
/// time to answer.
async fn check(file: &Location) -> Result<(), Error> {
    let bytes = file.bytes();
    if bytes == 0 {
        return Err(errors::empty(&file.to_string()));
    }
    if let Location::Local(_) = file
        && let [a, b, c, d, b'P', b'A', b'R', b'1'] = *file.end(END).await?
    {
        let footer: u64 = u32::from_le_bytes([a, b, c, d]).into();
        if footer + END > bytes {
            return Err(errors::cut(&file.to_string(), footer, bytes));
        }
    }
    Ok(())
}
