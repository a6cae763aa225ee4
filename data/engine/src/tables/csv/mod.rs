//! CSV files, read by our own scan.

mod exec;
mod failure;
mod files;
mod source;
mod table;

use std::path::PathBuf;
use std::sync::Arc;

use cardoon_csv::Kind;
use cardoon_frame::Scan;
use datafusion::catalog::TableProvider;
use datafusion::error::Result;

use crate::progress::Watch;
use files::Files;
use table::CsvTable;

/// Looks at every file for its columns, and at samples of it for what they hold. `needed` tells what earlier attempts
/// have found out about a column.
pub(super) fn open(
    scan: &Scan,
    files: &[PathBuf],
    needed: impl Fn(&str, &str) -> Option<Kind>,
    watch: Arc<Watch>,
) -> Result<Arc<dyn TableProvider>> {
    let files = Files::open(scan, files, needed, watch)?;
    Ok(Arc::new(CsvTable::new(Arc::new(files))))
}
