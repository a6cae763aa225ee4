//! One figure for many queries.

use crate::rounds::{Cell, Row};

/// Of each system the geometric mean of its figures, if it has one in each row.
pub(crate) fn geometric(rows: &[Row], figure: impl Fn(&Cell) -> Option<f64>) -> Vec<Option<f64>> {
    let systems = rows.first().map_or(0, |row| row.cells.len());
    let mean = |system: usize| {
        let logarithms: Option<Vec<f64>> =
            rows.iter().map(|row| Some(figure(&row.cells[system])?.ln())).collect();
        Some((logarithms?.iter().sum::<f64>() / rows.len() as f64).exp())
    };
    (0..systems).map(mean).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queries::LOGS;
    use crate::rounds::tests::cell;

    #[test]
    fn twice_as_fast_counts_as_much_in_a_short_query_as_in_a_long_one() {
        let row = |cells: Vec<Cell>| Row { query: &LOGS[0], cells };
        let rows = [
            row(vec![cell(&[0.01], 8), cell(&[0.02], 8), cell(&[1.0], 8)]),
            row(vec![cell(&[4.0], 8), cell(&[2.0], 8), Cell::default()]),
        ];
        let means = geometric(&rows, Cell::query_secs);
        assert!(means[..2].iter().all(|mean| (mean.unwrap() - 0.2).abs() < 1e-9), "{means:?}");
        assert_eq!(means[2], None);
        assert!(geometric(&[], Cell::query_secs).is_empty());
    }
}
