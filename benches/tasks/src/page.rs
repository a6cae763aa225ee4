//! The tables, and the page that holds them.

use anyhow::{Result, ensure};
use cardoon_bench_common::{self as common, machine};

/// A part of the page, with a table of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    Sqlite,
    Redis,
    Python,
    Gateway,
}

/// One line of a table.
pub(crate) struct Row {
    pub(crate) measure: String,
    pub(crate) cardoon: String,
    pub(crate) beside: String,
    pub(crate) goal: String,
    /// `None` where nothing is asked.
    pub(crate) is_met: Option<bool>,
}

/// What is measured in one run of the command.
pub(crate) struct Table {
    section: Section,
    runs: usize,
    only: Vec<String>,
    load: String,
    rows: Vec<Row>,
    /// What takes part besides the machine, one a line.
    versions: Vec<String>,
}

impl Row {
    /// One whose other side is missing here; it says why.
    pub(crate) fn unmeasured(measure: &str, why: String) -> Self {
        Self { measure: measure.into(), cardoon: "-".into(), beside: why, goal: "-".into(), is_met: None }
    }

    fn line(&self) -> String {
        let met = self.is_met.map_or("-", |is_met| if is_met { "yes" } else { "**no**" });
        format!("| {} | {} | {} | {} | {met} |", self.measure, self.cardoon, self.beside, self.goal)
    }
}

impl Table {
    /// `only` must be among `names`; if it is empty, all are wanted.
    pub(crate) fn new(section: Section, runs: usize, only: Vec<String>, names: &[&str]) -> Result<Self> {
        let unknown = only.iter().find(|only| !names.contains(&only.as_str()));
        ensure!(
            unknown.is_none(),
            "there is no measurement {}; there are {}",
            only.join(","),
            names.join(",")
        );
        Ok(Self { section, runs, only, load: machine::load(), rows: Vec::new(), versions: Vec::new() })
    }

    pub(crate) fn runs(&self) -> usize {
        self.runs
    }

    pub(crate) fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == name)
    }

    /// Names something that takes part, such as `Redis: 7.0.15`.
    pub(crate) fn name_version(&mut self, version: String) {
        self.versions.push(version);
    }

    pub(crate) fn add(&mut self, rows: Vec<Row>) {
        for row in &rows {
            println!("{}", row.line());
        }
        self.rows.extend(rows);
    }

    /// Writes the table into `docs/benchmarks.md` if all was measured.
    pub(crate) fn publish(&self) -> Result<()> {
        let section = self.section();
        println!("\n{section}");
        if !self.only.is_empty() {
            return Ok(());
        }
        common::Section::new(self.section.heading(), self.section.command()).write(&section)
    }

    fn section(&self) -> String {
        let command = self.section.command();
        let machine = machine::description(&self.load, &self.versions);
        let table: String = self.rows.iter().map(|row| row.line() + "\n").collect();
        format!(
            "Medians of {} runs, all sides in one run of `{command}`.\n\n{machine}\n\n\
             | measure | Cardoon | beside it | goal | met |\n|---|---|---|---|---|\n{table}",
            self.runs
        )
    }
}

impl Section {
    pub(crate) const fn command(self) -> &'static str {
        match self {
            Self::Sqlite => "cargo xtask bench tasks --broker sqlite",
            Self::Redis => "cargo xtask bench tasks --broker redis",
            Self::Python => "cargo xtask bench tasks --python",
            Self::Gateway => "cargo xtask bench tasks --gateway",
        }
    }

    fn heading(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Redis => "Redis",
            Self::Python => "Python",
            Self::Gateway => "Gateway, history and doctor",
        }
    }
}

/// `12345.6` as `12.3 k/s`.
pub(crate) fn rate(per_sec: f64) -> String {
    if per_sec >= 1000.0 { format!("{:.1} k/s", per_sec / 1000.0) } else { format!("{per_sec:.0}/s") }
}

pub(crate) fn percent(part: f64) -> String {
    format!("{:.0} %", part * 100.0)
}

/// `3.21` as `3.2 times`.
pub(crate) fn times(factor: f64) -> String {
    format!("{factor:.1} times")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_the_marks_of_each_section() {
        let page = include_str!("../../../docs/benchmarks.md");
        for section in [Section::Sqlite, Section::Redis, Section::Python, Section::Gateway] {
            let begin = format!("<!-- begin: written by `{}` -->", section.command());
            assert!(page.contains(&begin), "{begin}");
        }
    }

    #[test]
    fn what_is_wanted_must_exist() {
        assert!(Table::new(Section::Redis, 1, vec!["drian".into()], &["drain"]).is_err());
        assert!(Table::new(Section::Redis, 1, vec!["drain".into()], &["drain"]).unwrap().wants("drain"));
    }

    #[test]
    fn rates_are_short() {
        assert_eq!(rate(12_345.6), "12.3 k/s");
        assert_eq!(rate(980.4), "980/s");
    }
}
