//! The tables: a line a query, a column a system.

use crate::rounds::{Cell, Row, Trouble};
use crate::systems::System;

/// Seconds of the queries alone, and how Cardoon's compare with the best of the others.
pub(crate) fn queries(systems: &[System], rows: &[Row]) -> String {
    let ours = systems.iter().position(System::is_ours);
    let mut head = head(systems);
    head.extend(ours.map(|_| "Cardoon / best other".into()));
    let lines = rows.iter().map(|row| {
        let mut line = line(row, |cell| told_secs(query_secs(cell)));
        let peers =
            systems.iter().zip(&row.cells).filter(|(system, _)| system.is_peer()).map(|(_, cell)| cell);
        line.extend(ours.map(|ours| ratio(&row.cells[ours], peers)));
        line
    });
    table(&head, &lines.collect::<Vec<_>>())
}

/// Seconds of the whole processes.
pub(crate) fn walls(systems: &[System], rows: &[Row]) -> String {
    let lines: Vec<_> = rows.iter().map(|row| line(row, |cell| told_secs(cell.wall_secs()))).collect();
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

/// The whole process where a system does not say more.
fn query_secs(cell: &Cell) -> Option<f64> {
    cell.query_secs().or_else(|| cell.wall_secs())
}

fn told_secs(secs: Option<f64>) -> String {
    secs.map_or_else(|| "-".into(), |secs| format!("{secs:.2}"))
}

fn ratio<'a>(ours: &Cell, peers: impl Iterator<Item = &'a Cell>) -> String {
    let best = peers.filter_map(query_secs).min_by(f64::total_cmp);
    let ratio = query_secs(ours).zip(best).map(|(ours, best)| ours / best);
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
    use crate::queries::QUERIES;
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
        let row = Row { query: &QUERIES[0], cells: vec![cell(&[2.5], 8), failed()] };
        assert_eq!(line(&row, |cell| told_secs(query_secs(cell))), ["count per user", "2.50", "failed"]);
    }

    #[test]
    fn cardoon_is_compared_with_the_best_that_has_a_time() {
        assert_eq!(ratio(&cell(&[3.0], 8), [cell(&[4.0], 8), cell(&[2.0], 8), failed()].iter()), "1.50");
        assert_eq!(ratio(&cell(&[3.0], 8), [failed()].iter()), "-");
        assert_eq!(ratio(&failed(), [cell(&[3.0], 8)].iter()), "-");
    }
}
