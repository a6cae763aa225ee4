use std::borrow::Cow;

use arrow_array::StringArray;
use arrow_buffer::{Buffer, OffsetBuffer, ScalarBuffer};

use super::{Column, Trouble, validity};
use crate::field::Field;
use crate::index::Rows;
use crate::nulls::Nulls;
use crate::quotes::unquoted;

/// Bytes that are copied at once: one move instead of a call, for most values.
const PIECE: usize = 16;

/// Texts are put together in one buffer and tested for UTF-8 all at once; a view of each would be tested singly.
struct Texts {
    bytes: Vec<u8>,
    length: usize,
    offsets: Vec<i32>,
}

pub(super) fn read(rows: &Rows<'_>, column: &Column, nulls: &Nulls) -> Result<StringArray, Trouble> {
    let mut texts = Texts::of(rows, column.index);
    let mut missing = Vec::new();
    for row in 0..rows.count {
        let field = rows.field(row, column.index);
        let has_quotes = rows.quote().is_some_and(|quote| memchr::memchr(quote, field.text()).is_some());
        let value = if has_quotes { value(rows, row, column.index) } else { Cow::Borrowed(field.text()) };
        if nulls.contains(&value) {
            missing.push(row);
        } else if has_quotes {
            texts.push(Field::of(&value));
        } else {
            texts.push(field);
        }
        texts.offsets.push(texts.length as i32);
    }
    let Texts { mut bytes, length, offsets } = texts;
    bytes.truncate(length);
    let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
    StringArray::try_new(offsets, Buffer::from_vec(bytes), validity(rows.count, &missing))
        .map_err(|_| Trouble::InvalidUtf8 { row: first_invalid(rows, column.index) })
}

impl Texts {
    /// With room for all values of the column.
    fn of(rows: &Rows<'_>, column: usize) -> Self {
        let length: usize = (0..rows.count).map(|row| rows.raw(row, column).len()).sum();
        let mut offsets = Vec::with_capacity(rows.count + 1);
        offsets.push(0);
        Self { bytes: vec![0; length + PIECE], length: 0, offsets }
    }

    #[inline]
    fn push(&mut self, field: Field<'_>) {
        let to = &mut self.bytes[self.length..];
        let piece = field.block.get(field.start..).and_then(|rest| rest.first_chunk::<PIECE>());
        match (to.first_chunk_mut::<PIECE>(), piece) {
            // What is copied too much is written over by the next value, or cut off.
            (Some(to), Some(piece)) if field.len() <= PIECE => *to = *piece,
            _ => to[..field.len()].copy_from_slice(field.text()),
        }
        self.length += field.len();
    }
}

#[cold]
fn first_invalid(rows: &Rows<'_>, column: usize) -> usize {
    (0..rows.count).find(|row| std::str::from_utf8(&value(rows, *row, column)).is_err()).unwrap_or_default()
}

fn value<'a>(rows: &Rows<'a>, row: usize, column: usize) -> Cow<'a, [u8]> {
    let raw = rows.raw(row, column).text();
    rows.quote().map_or(raw.into(), |quote| unquoted(raw, quote))
}
