//! All that was measured, as the part of the page that has it.

use std::fmt::Write as _;

use anyhow::Result;
use cardoon_bench_common::{Section, machine, median};

use crate::calls::Calls;
use crate::inputs::Inputs;
use crate::limit::Reading;
use crate::rounds::{Row, Trouble};
use crate::systems::System;
use crate::tables;

const COMMAND: &str = "cargo xtask bench data";
const SECTION: Section = Section::new("Data", COMMAND);

pub(crate) struct Report {
    pub(crate) systems: Vec<System>,
    pub(crate) reading: Reading,
    pub(crate) rows: Vec<Row>,
    /// Nothing if they were not measured.
    pub(crate) calls: Option<Calls>,
    pub(crate) runs: u16,
    /// The number of the logs and their size.
    logs: String,
    load: String,
}

impl Report {
    /// `load` is the machine's before anything was done.
    pub(crate) fn new(systems: Vec<System>, inputs: &Inputs, runs: u16, load: String) -> Result<Self> {
        let (files, gb) = (inputs.files()?.len(), inputs.bytes()? as f64 / 1e9);
        let logs = format!("logs: {files} files of CSV, {gb:.2} GB together");
        Ok(Self { systems, reading: Reading::default(), rows: Vec::new(), calls: None, runs, logs, load })
    }

    pub(crate) fn text(&self) -> String {
        let (systems, rows) = (&self.systems, &self.rows);
        let mut text = format!(
            "Medians of {} runs, each a process of its own, all systems in turns in one run of `{COMMAND}`.\n\n{}\n\n",
            self.runs,
            machine::description(&self.load, &self.versions())
        );
        let Reading { bytes_secs, lines_secs } = self.reading;
        _ = write!(
            text,
            "To read the logs and do nothing else takes {bytes_secs:.2} s (`cat` to the null device); to count \
             their lines, on one processor, {lines_secs:.2} s (`wc -l`).\n\n\
             Seconds of the query, without starts and imports{}:\n\n{}\n\
             Seconds of the whole process:\n\n{}\n\
             Most memory of the process and its descendants at a time, in MB:\n\n{}",
            if self.has_untimed() { "; of Cardoon the whole process" } else { "" },
            tables::queries(systems, rows),
            tables::walls(systems, rows),
            tables::peaks(systems, rows)
        );
        if let Some(calls) = &self.calls {
            _ = write!(text, "\n{}\n", calls.text());
        }
        self.notes().iter().for_each(|note| _ = write!(text, "\n- {note}"));
        text
    }

    pub(crate) fn publish(&self) -> Result<()> {
        SECTION.write(&self.text())
    }

    /// What makes the run a failure: an answer that differs, and any failure of ours.
    pub(crate) fn faults(&self) -> Vec<String> {
        let faults =
            self.troubles(|system, trouble| !system.is_peer() || matches!(trouble, Trouble::Differs(_)));
        faults.into_iter().chain(self.calls.as_ref().and_then(Calls::fault)).collect()
    }

    fn versions(&self) -> Vec<String> {
        let mut versions: Vec<String> = self.systems.iter().map(System::version).collect();
        versions.dedup();
        versions.push(format!("Python: {}", machine::output("python3", &["--version"])));
        versions.push(self.logs.clone());
        versions
    }

    /// Whether there are times of Cardoon, and none of its queries alone.
    fn has_untimed(&self) -> bool {
        let ours = self.systems.iter().position(System::is_ours);
        let mut cells = self.rows.iter().filter_map(|row| row.cells.get(ours?));
        cells.any(|cell| cell.wall_secs().is_some() && cell.query_secs().is_none())
    }

    /// Starts of clusters, and what went wrong.
    fn notes(&self) -> Vec<String> {
        let starts = self.systems.iter().enumerate().filter_map(|(place, system)| {
            let secs: Vec<f64> = self.rows.iter().filter_map(|row| row.cells[place].start_secs()).collect();
            let secs = median(secs);
            (secs > 0.0).then(|| format!("The cluster of {} starts in {secs:.2} s.", system.title))
        });
        starts.chain(self.troubles(|_, _| true)).collect()
    }

    fn troubles(&self, counts: impl Fn(&System, &Trouble) -> bool) -> Vec<String> {
        let cells = self.rows.iter().flat_map(|row| {
            let cells = self.systems.iter().zip(&row.cells);
            cells.filter_map(|(system, cell)| Some((row.query, system, cell.trouble.as_ref()?)))
        });
        let told =
            cells.filter(|(_, system, trouble)| counts(system, trouble)).map(|(query, system, trouble)| {
                let (what, why) = match trouble {
                    Trouble::Failed(why) => ("failed", why),
                    Trouble::Differs(how) => ("answers differently", how),
                };
                format!("{}, {}: {what}: {why}", system.title, query.title)
            });
        told.collect()
    }
}
