//! The tables: a line a query, a column a system.

use crate::means;
use crate::rounds::{Cell, Row, Trouble};
use crate::systems::System;

/// Seconds of the queries alone, and how Cardoon's compare with the best of the others.
pub(crate) fn queries(systems: &[System], rows: &[Row]) -> String {
    let ours = systems.iter().position(System::is_ours);
    let mut head = head(systems);
    head.extend(ours.map(|_| "Cardoon / best other".into()));
    let compared = |secs: Vec<Option<f64>>| {
        let peers = systems.iter().zip(&secs).filter(|(system, _)| system.is_peer()).map(|(_, secs)| *secs);
        ours.map(|ours| ratio(secs[ours], peers))
    };
    let mut lines: Vec<_> = rows.iter().map(|row| line(row, |cell| told_secs(cell.secs()))).collect();
    for (line, row) in lines.iter_mut().zip(rows) {
        line.extend(compared(row.cells.iter().map(Cell::secs).collect()));
    }
    let means = means::geometric(rows, Cell::secs);
    lines.extend(mean_line(rows, &means).map(|line| line.into_iter().chain(compared(means)).collect()));
    table(&head, &lines)
}

/// Seconds of the whole processes.
pub(crate) fn walls(systems: &[System], rows: &[Row]) -> String {
    let mut lines: Vec<_> = rows.iter().map(|row| line(row, |cell| told_secs(cell.wall_secs()))).collect();
    lines.extend(mean_line(rows, &means::geometric(rows, Cell::wall_secs)));
    table(&head(systems), &lines)
}

/// Memory in MB.
pub(crate) fn peaks(systems: &[System], rows: &[Row]) -> String {
    let mb = |cell: &Cell| cell.peak_mb().map_or_else(|| "-".into(), |mb| format!("{mb:.0}"));
    let lines: Vec<_> = rows.iter().map(|row| line(row, mb)).collect();
    table(&head(systems), &lines)
}

fn head(systems: &[System]) -> Vec<String> {
    std::iter::once("query".into()).chain(systems.iter().map(|system| system.title.clone())).collect()
}

fn line(row: &Row, figure: impl Fn(&Cell) -> String) -> Vec<String> {
    let cells = row.cells.iter().map(|cell| match &cell.trouble {
        Some(Trouble::Failed(_)) => "failed".into(),
        Some(Trouble::Differs(_)) => "**differs**".into(),
        None => figure(cell),
    });
    std::iter::once(row.query.title.into()).chain(cells).collect()
}

/// Under several rows.
fn mean_line(rows: &[Row], means: &[Option<f64>]) -> Option<Vec<String>> {
    let cells = means.iter().map(|secs| told_secs(*secs));
    (rows.len() > 1).then(|| std::iter::once("geometric mean".into()).chain(cells).collect())
}

fn told_secs(secs: Option<f64>) -> String {
    secs.map_or_else(|| "-".into(), |secs| format!("{secs:.2}"))
}

fn ratio(ours: Option<f64>, peers: impl Iterator<Item = Option<f64>>) -> String {
    let best = peers.flatten().min_by(f64::total_cmp);
    let ratio = ours.zip(best).map(|(ours, best)| ours / best);
    ratio.map_or_else(|| "-".into(), |ratio| format!("{ratio:.2}"))
}

/// Markdown with columns that are straight in a terminal too.
fn table(head: &[String], lines: &[Vec<String>]) -> String {
    let all = || std::iter::once(head).chain(lines.iter().map(Vec::as_slice));
    let width = |column: usize| all().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let told = |line: &[String]| {
        let cells = line.iter().zip(&widths).map(|(cell, width)| format!(" {cell:width$} |"));
        format!("|{}\n", cells.collect::<String>())
    };
    let rule: Vec<String> = widths.iter().map(|width| "-".repeat(width + 2)).collect();
    let lines: String = lines.iter().map(|line| told(line)).collect();
    format!("{}|{}|\n{lines}", told(head), rule.join("|"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queries::LOGS;
    use crate::rounds::tests::cell;

    fn failed() -> Cell {
        let mut cell = cell(&[1.0], 8);
        cell.trouble = Some(Trouble::Failed("took longer than 300 s".into()));
        cell
    }

    #[test]
    fn columns_are_straight() {
        let text = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
        let lines = [text(&["count per user", "2.07"]), text(&["mean", "1"])];
        let expected = "| query          | Polars |\n|----------------|--------|\n\
                        | count per user | 2.07   |\n| mean           | 1      |\n";
        assert_eq!(table(&text(&["query", "Polars"]), &lines), expected);
    }

    #[test]
    fn a_row_says_what_went_wrong() {
        let row = Row { query: &LOGS[0], cells: vec![cell(&[2.5], 8), failed()] };
        assert_eq!(line(&row, |cell| told_secs(cell.secs())), ["count per user", "2.50", "failed"]);
    }

    #[test]
    fn cardoon_is_compared_with_the_best_that_has_a_time() {
        assert_eq!(ratio(Some(3.0), [Some(4.0), Some(2.0), None].into_iter()), "1.50");
        assert_eq!(ratio(Some(3.0), [None].into_iter()), "-");
        assert_eq!(ratio(None, [Some(3.0)].into_iter()), "-");
    }

    #[test]
    fn a_mean_stands_under_several_rows_only() {
        let row = || Row { query: &LOGS[0], cells: vec![cell(&[2.5], 8)] };
        assert_eq!(mean_line(&[row()], &[Some(2.5)]), None);
        assert_eq!(mean_line(&[row(), row()], &[Some(2.5), None]).unwrap(), ["geometric mean", "2.50", "-"]);
    }
}
