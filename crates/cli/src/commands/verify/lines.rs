use cardoon_drills::verify::{Chapter, Report, chapters};
use cardoon_errors::Language;

use crate::language::choose;
use crate::output::clean;

/// The report for a terminal.
pub(super) fn of(report: &Report, language: Language) -> String {
    let told: Vec<_> = chapters(report, language).iter().map(|it| chapter(it, language)).collect();
    told.join("\n\n")
}

fn chapter(it: &Chapter, language: Language) -> String {
    let badge = match it.passed {
        Some(true) => choose(language, "PASSED ", "通过："),
        Some(false) => choose(language, "FAILED ", "不通过："),
        None => "",
    };
    let width = it.figures.iter().map(|figure| columns(&figure.name)).max().unwrap_or(0);
    let mut lines = vec![clean(&it.title), format!("{badge}{}", clean(&it.verdict))];
    lines.extend(it.figures.iter().map(|figure| {
        let space = " ".repeat(width - columns(&figure.name));
        format!("  {}{space}  {}", clean(&figure.name), clean(&figure.value))
    }));
    lines.join("\n")
}

/// How many columns a text takes: Chinese characters take two.
fn columns(text: &str) -> usize {
    text.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum()
}
