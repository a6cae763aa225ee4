use comfy_table::{CellAlignment, presets};

use super::cut;

/// No cell of a table is wider.
const CELL: usize = 60;

/// A table for people: names of columns, then rows.
pub(crate) struct Table(comfy_table::Table);

impl Table {
    pub(crate) fn new(columns: &[&str]) -> Self {
        let mut table = comfy_table::Table::new();
        table.load_style(presets::NOTHING).set_header(columns.iter().copied());
        Self(table)
    }

    /// Writes the numbers of this column flush right.
    pub(crate) fn right(mut self, column: usize) -> Self {
        if let Some(column) = self.0.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        self
    }

    /// Adds a row; each cell is cleaned and cut.
    pub(crate) fn row<S: AsRef<str>>(&mut self, cells: impl IntoIterator<Item = S>) {
        self.0.add_row(cells.into_iter().map(|cell| cut(cell.as_ref(), CELL)));
    }

    pub(crate) fn render(&self) -> String {
        let trimmed = |line: String| line.strip_prefix(' ').unwrap_or(&line).trim_end().to_owned();
        self.0.lines().map(trimmed).collect::<Vec<_>>().join("\n")
    }
}
