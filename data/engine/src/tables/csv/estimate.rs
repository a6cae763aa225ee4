//! What a plan is made by before the files are read: which side of a join is the small one.

use cardoon_csv::Kind;
use datafusion::common::stats::Precision;
use datafusion::common::{ColumnStatistics, Statistics};

use super::files::Files;

/// Bytes of a field and what stands after it, as a rule.
const FIELD: u64 = 11;

/// Bytes of a text in memory, as a rule.
const TEXT: usize = 24;

/// About how many rows the files have, and bytes in these columns. Unknown if a file is compressed.
pub(super) fn statistics(files: &Files, columns: &[usize], limit: Option<usize>) -> Statistics {
    let header = &files.layout.header.columns;
    let row = FIELD * header.len().max(1) as u64;
    let bytes: Option<u64> = files.sources.iter().map(|source| source.len()).sum();
    let rows =
        bytes.map(|bytes| (bytes / row) as usize).map(|rows| limit.map_or(rows, |limit| limit.min(rows)));
    let width: usize = columns.iter().map(|column| width(header[*column].1)).sum();
    let about = |value: Option<usize>| value.map_or(Precision::Absent, Precision::Inexact);
    Statistics {
        num_rows: about(rows),
        total_byte_size: about(rows.map(|rows| rows.saturating_mul(width))),
        column_statistics: vec![ColumnStatistics::new_unknown(); columns.len()],
    }
}

fn width(kind: Kind) -> usize {
    if kind == Kind::Text { TEXT } else { size_of::<i64>() }
}
