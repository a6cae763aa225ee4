use std::sync::Arc;

use datafusion::arrow::array::{Array as _, ArrayRef, AsArray as _, Int64Array};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Int64Type};
use datafusion::error::Result;

use super::Numbering;

/// More values than any table has places.
const MOST: u64 = 1 << 32;

/// Whole numbers: each is numbered by its distance from the least one. The last number is that of nulls.
#[derive(Debug, Default)]
pub(in super::super) struct Whole {
    /// Of all keys so far.
    range: Option<Range>,
    numbering: Numbering,
}

impl Whole {
    pub(super) fn meet(&mut self, keys: &ArrayRef) -> Option<Numbering> {
        let of_keys = bounds(keys.as_primitive::<Int64Type>());
        let Some(range) =
            self.range.map_or(of_keys, |range| Some(of_keys.map_or(range, |more| range.with(more))))
        else {
            return Some(Numbering { begin: self.numbering.begin, width: self.numbering.width.max(1) });
        };
        if range.width() > MOST {
            return None;
        }
        if !self.numbering.has(range) {
            self.numbering = numbering(range, self.range);
        }
        self.range = Some(range);
        Some(self.numbering)
    }
}

/// A numbering that has room for a quarter more, on the side on which the range has grown.
fn numbering(range: Range, before: Option<Range>) -> Numbering {
    let room = range.width() / 4;
    let grows_down = before.is_some_and(|before| range.first < before.first);
    let begin = if grows_down { range.first.saturating_sub_unsigned(room) } else { range.first };
    let last = if grows_down { range.last } else { range.last.saturating_add_unsigned(room) };
    Numbering { begin, width: last.abs_diff(begin) + 2 }
}

impl Numbering {
    fn has(self, Range { first, last }: Range) -> bool {
        first >= self.begin && last.abs_diff(self.begin) + 1 < self.width
    }

    fn of_nulls(self) -> u64 {
        self.width - 1
    }
}

/// Keys of any whole kind as 64-bit numbers.
pub(super) fn prepared(keys: &ArrayRef) -> Result<ArrayRef> {
    if matches!(keys.data_type(), DataType::Date32) {
        return Ok(cast(&cast(keys, &DataType::Int32)?, &DataType::Int64)?);
    }
    Ok(cast(keys, &DataType::Int64)?)
}

pub(super) fn add(keys: &ArrayRef, numbering: Numbering, places: &mut [usize]) {
    let keys = keys.as_primitive::<Int64Type>();
    let width = numbering.width as usize;
    let number = |key: i64| key.wrapping_sub(numbering.begin) as usize;
    if keys.null_count() == 0 {
        for (place, key) in places.iter_mut().zip(keys.values()) {
            *place = *place * width + number(*key);
        }
    } else {
        for (place, key) in places.iter_mut().zip(keys.iter()) {
            *place = *place * width + key.map_or(numbering.of_nulls() as usize, number);
        }
    }
}

pub(super) fn renumbered(number: u64, before: Numbering, after: Numbering) -> u64 {
    if number == before.of_nulls() {
        after.of_nulls()
    } else {
        number.wrapping_add(before.begin.wrapping_sub(after.begin) as u64)
    }
}

pub(super) fn values(numbers: &[u64], numbering: Numbering, kind: &DataType) -> Result<ArrayRef> {
    let value = |number: &u64| {
        (*number != numbering.of_nulls()).then(|| numbering.begin.wrapping_add(*number as i64))
    };
    let values: ArrayRef = Arc::new(numbers.iter().map(value).collect::<Int64Array>());
    if matches!(kind, DataType::Date32) {
        return Ok(cast(&cast(&values, &DataType::Int32)?, kind)?);
    }
    Ok(cast(&values, kind)?)
}

/// From the least number to the largest.
#[derive(Debug, Clone, Copy)]
struct Range {
    first: i64,
    last: i64,
}

impl Range {
    fn with(self, other: Self) -> Self {
        Self { first: self.first.min(other.first), last: self.last.max(other.last) }
    }

    /// How many numbers there are in it.
    fn width(self) -> u64 {
        self.last.abs_diff(self.first).saturating_add(1)
    }
}

/// Nothing if all keys are null.
fn bounds(keys: &Int64Array) -> Option<Range> {
    if keys.null_count() == 0 { range(keys.values().iter().copied()) } else { range(keys.iter().flatten()) }
}

fn range(mut keys: impl Iterator<Item = i64>) -> Option<Range> {
    let first = keys.next()?;
    let one = Range { first, last: first };
    Some(keys.fold(one, |range, key| range.with(Range { first: key, last: key })))
}
