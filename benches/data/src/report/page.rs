use std::fmt::Write as _;

use cardoon_bench_common::{Section, machine};

use super::{Logs, Tpch};
use crate::calls::Calls;
use crate::part::Part;
use crate::rounds::Trouble;
use crate::systems::System;

const COMMAND: &str = "cargo xtask bench data";
const SECTION: Section = Section::new("Data", COMMAND);

pub(crate) struct Report {
    pub(crate) runs: u16,
    /// The machine's before anything was done.
    pub(crate) load: String,
    /// What is not wanted is not there.
    pub(crate) logs: Option<Logs>,
    pub(crate) tpch: Option<Tpch>,
    pub(crate) calls: Option<Calls>,
}

impl Report {
    pub(crate) fn text(&self) -> String {
        let mut text = format!(
            "Medians of {} runs, each a process of its own, all systems in turns in one run of `{COMMAND}`.\n\n{}",
            self.runs,
            machine::description(&self.load, &self.versions())
        );
        let parts = [
            self.logs.as_ref().map(|logs| ("Logs", logs.text())),
            self.tpch.as_ref().map(|tpch| ("TPC-H", tpch.text())),
            self.calls.as_ref().map(|calls| ("Functions", calls.text())),
        ];
        parts.into_iter().flatten().for_each(|(title, part)| _ = write!(text, "\n\n### {title}\n\n{part}"));
        text
    }

    pub(crate) fn publish(&self) -> anyhow::Result<()> {
        SECTION.write(&self.text())
    }

    /// What makes the run a failure: an answer that differs, and any failure of ours.
    pub(crate) fn faults(&self) -> Vec<String> {
        let counts = |system: &System, trouble: &Trouble| {
            system.is_cardoon() || matches!(trouble, Trouble::Differs(_))
        };
        let faults = self.parts().flat_map(|part| part.troubles(counts));
        faults.chain(self.calls.as_ref().and_then(Calls::fault)).collect()
    }

    fn parts(&self) -> impl Iterator<Item = &Part> {
        let logs = self.logs.iter().map(|logs| &logs.part);
        logs.chain(self.tpch.iter().map(|tpch| &tpch.part))
    }

    /// One line for each program, whatever ways there are to use it.
    fn versions(&self) -> Vec<String> {
        let mut versions: Vec<String> = Vec::new();
        for version in self.parts().flat_map(|part| &part.systems).map(System::version) {
            if !versions.contains(&version) {
                versions.push(version);
            }
        }
        versions.push(format!("Python: {}", machine::output("python3", &["--version"])));
        versions
    }
}

/// As a list that follows a table.
pub(super) fn listed(notes: &[String]) -> String {
    notes.iter().fold(String::new(), |list, note| list + "\n- " + note)
}
