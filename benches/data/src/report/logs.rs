use anyhow::Result;
use cardoon_bench_common::median;

use super::page::listed;
use crate::inputs::Inputs;
use crate::limit::Reading;
use crate::part::Part;
use crate::tables;

/// What was asked about logs.
pub(crate) struct Logs {
    pub(crate) part: Part,
    reading: Reading,
    files: usize,
    gb: f64,
}

impl Logs {
    pub(crate) fn new(part: Part, reading: Reading, inputs: &Inputs) -> Result<Self> {
        Ok(Self { part, reading, files: inputs.files()?.len(), gb: inputs.bytes()? as f64 / 1e9 })
    }

    pub(super) fn text(&self) -> String {
        let Self { part: Part { systems, rows }, reading: Reading { bytes_secs, lines_secs }, files, gb } =
            self;
        format!(
            "{files} files of CSV, {gb:.2} GB together; for the query of Parquet the same rows in one file that Cardoon wrote.\n\n\
             To read the logs and do nothing else takes {bytes_secs:.2} s (`cat` to the null device); to count \
             their lines, on one processor, {lines_secs:.2} s (`wc -l`).\n\n\
             Seconds of the query, without starts and imports{}:\n\n{}\n\
             Seconds of the whole process:\n\n{}\n\
             Most memory of the process and its descendants at a time, in MB:\n\n{}{}",
            if self.part.has_untimed() { "; of Cardoon the whole process" } else { "" },
            tables::queries(systems, rows),
            tables::walls(systems, rows),
            tables::peaks(systems, rows),
            listed(&self.notes())
        )
    }

    /// Starts of clusters, and what went wrong.
    fn notes(&self) -> Vec<String> {
        let starts = self.part.systems.iter().enumerate().filter_map(|(place, system)| {
            let secs = self.part.rows.iter().filter_map(|row| row.cells[place].start_secs()).collect();
            let secs = median(secs);
            (secs > 0.0).then(|| format!("The cluster of {} starts in {secs:.2} s.", system.title))
        });
        starts.chain(self.part.troubles(|_, _| true)).collect()
    }
}
