//! The table, and the page that holds it.

use std::path::Path;

use anyhow::{Context, Result};

use crate::machine;

const BEGIN: &str = "<!-- begin: written by `cargo xtask bench tasks` -->";
const END: &str = "<!-- end -->";

/// One line of the table.
pub(crate) struct Row {
    pub(crate) measure: String,
    pub(crate) cardoon: String,
    pub(crate) beside: String,
    pub(crate) goal: String,
    pub(crate) is_met: bool,
}

impl Row {
    pub(crate) fn line(&self) -> String {
        let met = if self.is_met { "yes" } else { "**no**" };
        format!("| {} | {} | {} | {} | {met} |", self.measure, self.cardoon, self.beside, self.goal)
    }
}

/// Writes the table into `docs/benchmarks.md` if all was measured.
pub(crate) fn publish(rows: &[Row], runs: usize, load: &str, is_complete: bool) -> Result<()> {
    let section = section(rows, runs, load);
    println!("\n{section}");
    if !is_complete {
        return Ok(());
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/benchmarks.md");
    let page = std::fs::read_to_string(&path).context("cannot read docs/benchmarks.md")?;
    let page = replaced(&page, &section).context("docs/benchmarks.md has lost its marks")?;
    std::fs::write(&path, page).context("cannot write docs/benchmarks.md")
}

fn section(rows: &[Row], runs: usize, load: &str) -> String {
    let table: String = rows.iter().map(|row| row.line() + "\n").collect();
    format!(
        "{BEGIN}\n\nMedians of {runs} runs, all sides in one run of `cargo xtask bench tasks`.\n\n{}\n\n\
         | measure | Cardoon | beside it | goal | met |\n|---|---|---|---|---|\n{table}\n{END}",
        machine::description(load)
    )
}

fn replaced(page: &str, section: &str) -> Option<String> {
    let (head, rest) = page.split_once(BEGIN)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_between_the_marks_changes() {
        let page = format!("# Title\n{BEGIN}\nold\n{END}\nend\n");
        assert_eq!(replaced(&page, "new").unwrap(), "# Title\nnew\nend\n");
        assert_eq!(replaced("# Title\n", "new"), None);
    }

    #[test]
    fn rates_are_short() {
        assert_eq!(rate(12_345.6), "12.3 k/s");
        assert_eq!(rate(980.4), "980/s");
    }
}
