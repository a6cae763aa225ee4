//! Makes an Arrow array of a column's fields.

mod text;
mod values;

use std::sync::Arc;

use arrow_array::builder::BooleanBufferBuilder;
use arrow_array::types::{Date32Type, Float64Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{ArrayRef, BooleanArray, PrimitiveArray, StringArray};
use arrow_buffer::{BooleanBuffer, NullBuffer};

use crate::index::Rows;
use crate::kind::Kind;
use crate::nulls::Nulls;
use crate::value;

/// A column to be read.
#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) index: usize,
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// Some word for a null is also a value of the kind.
    pub(crate) nulls_first: bool,
}

/// What is wrong with the field of a row.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    Disagrees { row: usize, text: Vec<u8> },
    InvalidUtf8 { row: usize },
}

pub(crate) fn read(rows: &Rows<'_>, column: &Column, nulls: &Nulls) -> Result<ArrayRef, Trouble> {
    let array: ArrayRef = match column.kind {
        Kind::Null => {
            values::read(rows, column, nulls, |_| None::<()>)?;
            Arc::new(StringArray::new_null(rows.count))
        }
        Kind::Boolean => {
            let (values, missing) = values::read(rows, column, nulls, value::boolean)?;
            Arc::new(BooleanArray::new(BooleanBuffer::from(values), missing))
        }
        Kind::Int64 => {
            let (values, missing) = values::read(rows, column, nulls, value::int)?;
            Arc::new(PrimitiveArray::<Int64Type>::new(values.into(), missing))
        }
        Kind::Float64 => {
            let (values, missing) = values::read(rows, column, nulls, value::float)?;
            Arc::new(PrimitiveArray::<Float64Type>::new(values.into(), missing))
        }
        Kind::Date => {
            let (values, missing) = values::read(rows, column, nulls, value::date)?;
            Arc::new(PrimitiveArray::<Date32Type>::new(values.into(), missing))
        }
        Kind::Timestamp => {
            let (values, missing) = values::read(rows, column, nulls, value::timestamp)?;
            Arc::new(PrimitiveArray::<TimestampMicrosecondType>::new(values.into(), missing))
        }
        Kind::Text => Arc::new(text::read(rows, column, nulls)?),
    };
    Ok(array)
}

/// The rows that have a value; nothing if all have one.
fn validity(rows: usize, missing: &[usize]) -> Option<NullBuffer> {
    if missing.is_empty() {
        return None;
    }
    let mut bits = BooleanBufferBuilder::new(rows);
    bits.append_n(rows, true);
    for row in missing {
        bits.set_bit(*row, false);
    }
    Some(NullBuffer::new(bits.finish()))
}
