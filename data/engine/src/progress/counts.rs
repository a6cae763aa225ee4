use std::ops::AddAssign;

use datafusion::physical_plan::metrics::MetricsSet;
use serde::{Deserialize, Serialize};

use crate::cluster::{BAD_ROWS, BYTES_READ, ROWS_READ};

/// What DataFusion's readers call the files, or parts of files, that they are done with.
const FILES_DONE: &str = "files_processed";

/// What operators have done so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Rows that were read from files.
    pub rows: u64,
    /// Bytes of CSV files.
    pub bytes: u64,
    /// Rows of CSV files that were left out.
    pub bad_rows: u64,
    /// Other files, or parts of them, that are done with.
    pub files: u64,
    /// Rows of other files.
    pub file_rows: u64,
    pub spilled_bytes: u64,
}

impl Counts {
    /// Of one operator.
    pub fn of(metrics: &MetricsSet) -> Self {
        let count = |name| metrics.sum_by_name(name).map(|value| value.as_usize() as u64);
        let spilled_bytes = metrics.spilled_bytes().unwrap_or_default() as u64;
        let counts = Self { spilled_bytes, ..Self::default() };
        match (count(ROWS_READ), count(FILES_DONE)) {
            (Some(rows), _) => {
                let (bytes, bad_rows) = (count(BYTES_READ), count(BAD_ROWS));
                Self {
                    rows,
                    bytes: bytes.unwrap_or_default(),
                    bad_rows: bad_rows.unwrap_or_default(),
                    ..counts
                }
            }
            (None, Some(files)) => {
                let rows = given(metrics);
                Self { rows, files, file_rows: rows, ..counts }
            }
            (None, None) => counts,
        }
    }

    /// Of all operators of `metrics`.
    pub fn of_all<'a>(metrics: impl IntoIterator<Item = &'a MetricsSet>) -> Self {
        metrics.into_iter().fold(Self::default(), |mut sum, metrics| {
            sum += Self::of(metrics);
            sum
        })
    }
}

/// Rows that an operator has given out.
pub(super) fn given(metrics: &MetricsSet) -> u64 {
    metrics.output_rows().unwrap_or_default() as u64
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.rows += other.rows;
        self.bytes += other.bytes;
        self.bad_rows += other.bad_rows;
        self.files += other.files;
        self.file_rows += other.file_rows;
        self.spilled_bytes += other.spilled_bytes;
    }
}
