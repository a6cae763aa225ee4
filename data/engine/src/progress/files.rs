use std::sync::Arc;

use datafusion::common::stats::Precision;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfig};
use datafusion::datasource::source::DataSourceExec;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::statistics::{StatisticsArgs, StatisticsContext};

use super::counts::Counts;
use crate::tables::{self, Length};

/// The files that a plan reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Files {
    /// Bytes of CSV files; nothing if one of them is compressed.
    csv_bytes: Option<u64>,
    /// Bytes of other files, of which readers tell what they are done with in whole files and in rows.
    other_bytes: u64,
    others: u64,
    /// Nothing if it is not known.
    other_rows: Option<u64>,
}

impl Files {
    pub fn of(plan: &Arc<dyn ExecutionPlan>) -> Self {
        let mut files = Self { csv_bytes: Some(0), other_bytes: 0, others: 0, other_rows: Some(0) };
        files.add(plan);
        files
    }

    fn add(&mut self, step: &Arc<dyn ExecutionPlan>) {
        match (tables::length(step.as_ref()), scanned(step.as_ref())) {
            (Some(Length::Known(bytes)), _) => self.csv_bytes = self.csv_bytes.map(|sum| sum + bytes),
            (Some(Length::Unknown), _) => self.csv_bytes = None,
            (None, Some(config)) => self.add_others(config, rows(step.as_ref())),
            (None, None) => {}
        }
        step.children().into_iter().for_each(|step| self.add(step));
    }

    fn add_others(&mut self, config: &FileScanConfig, rows: Option<u64>) {
        for file in config.file_groups.iter().flat_map(FileGroup::files) {
            self.other_bytes += bytes(file);
            self.others += 1;
        }
        self.other_rows = self.other_rows.zip(rows).map(|(sum, rows)| sum + rows);
    }

    /// Bytes of all files, if that is known.
    pub fn all(&self) -> Option<u64> {
        self.csv_bytes.map(|bytes| bytes + self.other_bytes)
    }

    /// Bytes of those that are done with.
    pub fn done(&self, counts: &Counts) -> u64 {
        let by_files = share(counts.files, Some(self.others));
        let by_rows = share(counts.file_rows, self.other_rows);
        counts.bytes + (self.other_bytes as f64 * by_files.max(by_rows)) as u64
    }
}

fn share(done: u64, all: Option<u64>) -> f64 {
    all.filter(|all| *all > 0).map_or(0.0, |all| (done as f64 / all as f64).min(1.0))
}

fn scanned(step: &dyn ExecutionPlan) -> Option<&FileScanConfig> {
    let exec = step.downcast_ref::<DataSourceExec>()?;
    (exec.data_source().as_ref() as &dyn std::any::Any).downcast_ref::<FileScanConfig>()
}

/// Of a file, or the part of it that is read.
fn bytes(file: &PartitionedFile) -> u64 {
    file.range.as_ref().map_or(file.object_meta.size, |range| range.end.abs_diff(range.start))
}

fn rows(step: &dyn ExecutionPlan) -> Option<u64> {
    let all = StatisticsContext::new().compute(step, &StatisticsArgs::new()).ok()?;
    match all.num_rows {
        Precision::Exact(rows) => Some(rows as u64),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_other_files_the_share_is_told_that_is_gone_through() {
        let files = Files { csv_bytes: Some(50), other_bytes: 1000, others: 4, other_rows: Some(200) };
        assert_eq!(files.all(), Some(1050));
        let done = |files_done, file_rows| {
            files.done(&Counts { bytes: 7, files: files_done, file_rows, ..Counts::default() })
        };
        assert_eq!(
            (done(0, 0), done(1, 0), done(1, 100), done(4, 100), done(9, 999)),
            (7, 257, 507, 1007, 1007)
        );
        assert_eq!(Files { csv_bytes: None, ..files }.all(), None);
        let none = Files { csv_bytes: Some(0), other_bytes: 0, others: 0, other_rows: None };
        assert_eq!((none.all(), none.done(&Counts::default())), (Some(0), 0));
    }
}
