//! Columns of keys as small numbers, and back.

mod texts;
mod whole;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::DataType;
use datafusion::error::Result;

use texts::Texts;
use whole::Whole;

/// A column of keys. Each value has a number below the column's width; both change as more values are met.
pub(super) enum Column {
    Whole(Whole),
    Texts(Texts),
}

/// How the values of a column are numbered at present.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Numbering {
    /// The value that has the number 0, in a column of whole numbers.
    pub(super) begin: i64,
    /// One more than the largest number.
    pub(super) width: u64,
}

impl Column {
    /// Nothing for keys of a kind that has no small numbers.
    pub(super) fn of(kind: &DataType) -> Option<Self> {
        use DataType::{Date32, Int8, Int16, Int32, Int64, LargeUtf8, UInt8, UInt16, UInt32, Utf8, Utf8View};
        match kind {
            Int8 | Int16 | Int32 | Int64 | UInt8 | UInt16 | UInt32 | Date32 => {
                Some(Self::Whole(Whole::default()))
            }
            Utf8 | LargeUtf8 | Utf8View => Some(Self::Texts(Texts::default())),
            _ => None,
        }
    }

    /// `keys` in the kind that this column works on.
    pub(super) fn prepared(&self, keys: &ArrayRef) -> Result<ArrayRef> {
        Ok(match self {
            Self::Whole(_) => whole::prepared(keys)?,
            Self::Texts(_) => keys.clone(),
        })
    }

    /// How values are numbered when those of `keys` are known too. Nothing if there are too many different ones.
    pub(super) fn meet(&mut self, keys: &ArrayRef) -> Option<Numbering> {
        match self {
            Self::Whole(column) => column.meet(keys),
            Self::Texts(column) => column.meet(keys),
        }
    }

    /// Adds the number of each key, which was met last, to what `places` has, times the width.
    pub(super) fn add(&self, keys: &ArrayRef, numbering: Numbering, places: &mut [usize]) {
        match self {
            Self::Whole(_) => whole::add(keys, numbering, places),
            Self::Texts(column) => column.add(numbering, places),
        }
    }

    /// The number that a value has by `after`, of that which it has by `before`.
    pub(super) fn renumbered(&self, number: u64, before: Numbering, after: Numbering) -> u64 {
        match self {
            Self::Whole(_) => whole::renumbered(number, before, after),
            Self::Texts(_) => number,
        }
    }

    /// The values of these numbers, as an array of `kind`.
    pub(super) fn values(
        &self,
        numbers: Vec<u64>,
        numbering: Numbering,
        kind: &DataType,
    ) -> Result<ArrayRef> {
        match self {
            Self::Whole(_) => whole::values(&numbers, numbering, kind),
            Self::Texts(column) => column.values(numbers, kind),
        }
    }
}
