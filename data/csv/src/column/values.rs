use arrow_buffer::NullBuffer;

use super::{Column, Trouble, validity};
use crate::field::Field;
use crate::index::Rows;
use crate::kind::Kind;
use crate::nulls::Nulls;
use crate::quotes::unquoted;

/// The values of a column that is no text, and which rows have one.
pub(super) fn read<T: Clone + Default>(
    rows: &Rows<'_>,
    column: &Column,
    nulls: &Nulls,
    parse: impl Fn(Field<'_>) -> Option<T>,
) -> Result<(Vec<T>, Option<NullBuffer>), Trouble> {
    let mut values = vec![T::default(); rows.count];
    let mut missing = Vec::new();
    for (row, slot) in values.iter_mut().enumerate() {
        let field = rows.field(row, column.index);
        let may_be_value = !column.nulls_first || !nulls.contains(field.text());
        if let Some(value) = may_be_value.then(|| parse(field)).flatten() {
            *slot = value;
        } else if let Some(value) = unusual(rows, row, column, nulls, &parse)? {
            *slot = value;
        } else {
            missing.push(row);
        }
    }
    Ok((values, validity(rows.count, &missing)))
}

/// A field that is null, or has quotes within or blanks around, or is of another kind.
#[cold]
fn unusual<T>(
    rows: &Rows<'_>,
    row: usize,
    column: &Column,
    nulls: &Nulls,
    parse: impl Fn(Field<'_>) -> Option<T>,
) -> Result<Option<T>, Trouble> {
    let raw = rows.raw(row, column.index).text();
    let text = rows.quote().map_or(raw.into(), |quote| unquoted(raw, quote));
    if nulls.contains(&text) {
        return Ok(None);
    }
    let field = Field::of(&text);
    let is_number = matches!(column.kind, Kind::Int64 | Kind::Float64);
    match parse(if is_number { field.trimmed() } else { field }) {
        None => Err(Trouble::Disagrees { row, text: text.into_owned() }),
        value => Ok(value),
    }
}
