//! The tables, and the page that holds them.

use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::{Broker, machine};

const END: &str = "<!-- end -->";

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
    broker: Broker,
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
    pub(crate) fn new(broker: Broker, runs: usize, only: Vec<String>, names: &[&str]) -> Result<Self> {
        let unknown = only.iter().find(|only| !names.contains(&only.as_str()));
        ensure!(
            unknown.is_none(),
            "there is no measurement {}; there are {}",
            only.join(","),
            names.join(",")
        );
        Ok(Self { broker, runs, only, load: machine::load(), rows: Vec::new(), versions: Vec::new() })
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
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/benchmarks.md");
        let page = std::fs::read_to_string(&path).context("cannot read docs/benchmarks.md")?;
        let page = replaced(&page, &begin(self.broker), &section);
        let page = page.context("docs/benchmarks.md has lost its marks")?;
        std::fs::write(&path, page).context("cannot write docs/benchmarks.md")
    }

    fn section(&self) -> String {
        let begin = begin(self.broker);
        let command = command(self.broker);
        let machine = machine::description(&self.load, &self.versions);
        let table: String = self.rows.iter().map(|row| row.line() + "\n").collect();
        format!(
            "{begin}\n\nMedians of {} runs, all sides in one run of `{command}`.\n\n{machine}\n\n\
             | measure | Cardoon | beside it | goal | met |\n|---|---|---|---|---|\n{table}\n{END}",
            self.runs
        )
    }
}

fn command(broker: Broker) -> &'static str {
    match broker {
        Broker::Sqlite => "cargo xtask bench tasks --broker sqlite",
        Broker::Redis => "cargo xtask bench tasks --broker redis",
    }
}

fn begin(broker: Broker) -> String {
    format!("<!-- begin: written by `{}` -->", command(broker))
}

fn replaced(page: &str, begin: &str, section: &str) -> Option<String> {
    let (head, rest) = page.split_once(begin)?;
    let (_, tail) = rest.split_once(END)?;
    Some(format!("{head}{section}{tail}"))
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
    fn only_what_is_between_a_brokers_marks_changes() {
        let (sqlite, redis) = (begin(Broker::Sqlite), begin(Broker::Redis));
        let page = format!("# Title\n{sqlite}\nold\n{END}\nthen\n{redis}\nold\n{END}\nend\n");
        let changed = replaced(&page, &redis, "new").unwrap();
        assert_eq!(changed, format!("# Title\n{sqlite}\nold\n{END}\nthen\nnew\nend\n"));
        assert_eq!(replaced("# Title\n", &redis, "new"), None);
    }

    #[test]
    fn the_page_has_the_marks_of_each_broker() {
        let page = include_str!("../../../docs/benchmarks.md");
        for broker in [Broker::Sqlite, Broker::Redis] {
            assert!(replaced(page, &begin(broker), "").is_some(), "{}", begin(broker));
        }
    }

    #[test]
    fn what_is_wanted_must_exist() {
        assert!(Table::new(Broker::Redis, 1, vec!["drian".into()], &["drain"]).is_err());
        assert!(Table::new(Broker::Redis, 1, vec!["drain".into()], &["drain"]).unwrap().wants("drain"));
    }

    #[test]
    fn rates_are_short() {
        assert_eq!(rate(12_345.6), "12.3 k/s");
        assert_eq!(rate(980.4), "980/s");
    }
}
