use cardoon_errors::Language;
use comfy_table::{CellAlignment, presets};

use super::{cut, word};

/// No cell of a table that holds other people's texts is wider.
const CELL: usize = 60;

/// A table for people: names of columns, then rows.
pub(crate) struct Table {
    inner: comfy_table::Table,
    columns: Vec<&'static str>,
    cell: usize,
}

impl Table {
    pub(crate) fn new(columns: &[&'static str]) -> Self {
        let mut inner = comfy_table::Table::new();
        inner.load_style(presets::NOTHING).set_header(columns);
        Self { inner, columns: columns.to_vec(), cell: CELL }
    }

    /// Writes the numbers of this column flush right.
    pub(crate) fn right(mut self, column: usize) -> Self {
        if let Some(column) = self.inner.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        self
    }

    /// Cuts no cell: the texts are our own or the user's settings.
    pub(crate) fn whole(mut self) -> Self {
        self.cell = usize::MAX - 1;
        self
    }

    /// Adds a row; each cell is cleaned and cut.
    pub(crate) fn row<S: AsRef<str>>(&mut self, cells: impl IntoIterator<Item = S>) {
        let limit = self.cell;
        self.inner.add_row(cells.into_iter().map(|cell| cut(cell.as_ref(), limit)));
    }

    pub(crate) fn render(mut self, language: Language) -> String {
        self.inner.set_header(self.columns.iter().map(|column| word(language, column)));
        let trimmed = |line: String| line.strip_prefix(' ').unwrap_or(&line).trim_end().to_owned();
        self.inner.lines().map(trimmed).collect::<Vec<_>>().join("\n")
    }
}
