//! Random tables, and a writer of them that has nothing in common with the reader.

use cardoon_csv::{Dialect, Header, Kind};
use proptest::collection::vec;
use proptest::prelude::*;

/// A value, and whether it is quoted though it need not be.
type Cell = (Option<String>, bool);

#[derive(Debug, Clone)]
pub(crate) struct Table {
    pub(crate) kinds: Vec<Kind>,
    pub(crate) rows: Vec<Vec<Cell>>,
    line_end: &'static str,
    ends_with_line: bool,
    has_mark: bool,
    /// After how many rows a blank line stands.
    blank_after: usize,
}

impl Table {
    pub(crate) fn header(&self) -> Header {
        let name = |(index, kind): (usize, &Kind)| (format!("column, {index}"), *kind);
        Header { columns: self.kinds.iter().enumerate().map(name).collect() }
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = Vec<Option<String>>> {
        self.rows.iter().map(|row| row.iter().map(|(value, _)| value.clone()).collect())
    }

    pub(crate) fn write(&self) -> String {
        let names: Vec<String> = (0..self.kinds.len()).map(|index| format!("\"column, {index}\"")).collect();
        let mut lines = vec![names.join(",")];
        for (index, row) in self.rows.iter().enumerate() {
            let fields: Vec<String> = row.iter().map(|cell| field(cell, row.len() == 1)).collect();
            lines.push(fields.join(","));
            if index % self.blank_after == 0 {
                lines.push(String::new());
            }
        }
        let mark = if self.has_mark { "\u{feff}" } else { "" };
        let end = if self.ends_with_line { self.line_end } else { "" };
        format!("{mark}{}{end}", lines.join(self.line_end))
    }
}

fn field((value, quoted): &Cell, is_alone: bool) -> String {
    let value = value.as_deref().unwrap_or_default();
    let must_be_quoted = value.contains([',', '\n', '\r'])
        || value.starts_with('"')
        || (is_alone && value.trim_ascii().is_empty());
    if must_be_quoted || *quoted { format!("\"{}\"", value.replace('"', "\"\"")) } else { value.to_owned() }
}

/// Tables of one to five columns with the same `kinds`.
pub(crate) fn tables(most_rows: usize) -> impl Strategy<Value = Table> {
    vec(kind(), 1..5).prop_flat_map(move |kinds| of_kinds(kinds, most_rows))
}

pub(crate) fn of_kinds(kinds: Vec<Kind>, most_rows: usize) -> impl Strategy<Value = Table> {
    let row: Vec<_> = kinds.iter().map(|kind| cell(*kind)).collect();
    let line_end = prop_oneof![Just("\n"), Just("\r\n")];
    (vec(row, 0..most_rows), line_end, any::<bool>(), any::<bool>(), 1..50_usize).prop_map(
        move |(rows, line_end, ends_with_line, has_mark, blank_after)| {
            let kinds = kinds.clone();
            Table { kinds, rows, line_end, ends_with_line, has_mark, blank_after }
        },
    )
}

pub(crate) fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![Just(Kind::Int64), Just(Kind::Float64), Just(Kind::Boolean), Just(Kind::Text)]
}

fn cell(kind: Kind) -> impl Strategy<Value = Cell> {
    let value = match kind {
        Kind::Int64 => any::<i64>().prop_map(|number| number.to_string()).boxed(),
        Kind::Float64 => any::<f64>().prop_map(|number| format!("{number:?}")).boxed(),
        Kind::Boolean => any::<bool>().prop_map(|flag| flag.to_string()).boxed(),
        _ => prop_oneof![3 => "[a-c\",\r\n é☃]{0,12}", 1 => "[x\"]{60,130}"].boxed(),
    };
    let value = proptest::option::weighted(0.9, value);
    (value, any::<bool>()).prop_map(|(value, quoted)| (value.filter(|value| !is_null(value)), quoted))
}

fn is_null(value: &str) -> bool {
    Dialect::default().null_values.iter().any(|word| word == value)
}
