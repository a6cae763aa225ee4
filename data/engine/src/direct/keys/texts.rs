use std::sync::Arc;

use datafusion::arrow::array::{Array as _, ArrayAccessor, ArrayRef, AsArray as _, StringArray, UInt64Array};
use datafusion::arrow::compute::{cast, take};
use datafusion::arrow::datatypes::DataType;
use datafusion::error::Result;

use super::Numbering;

/// Different texts, at most: with more of them hashing costs as little.
const MOST: usize = 1024;

/// Places of the table that finds a text. It stays half empty at least.
const PLACES: usize = 4 * MOST;

/// Texts, numbered as they are met.
#[derive(Debug)]
pub(in super::super) struct Texts {
    /// Of each number.
    texts: Vec<Text>,
    of_null: Option<u32>,
    /// One more than the number of the text that is found there; 0 where there is none.
    places: Vec<u32>,
    /// Of the keys that were met last.
    last: Vec<u32>,
}

#[derive(Debug)]
struct Text {
    /// Nothing for a null.
    text: Option<Box<str>>,
    begin: Begin,
}

/// The length of a text and its first bytes: a text that is short has no others, so that there is nothing else to compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Begin(u128);

impl Default for Texts {
    fn default() -> Self {
        Self { texts: Vec::new(), of_null: None, places: vec![0; PLACES], last: Vec::new() }
    }
}

impl Texts {
    /// Nothing if there are too many texts.
    pub(super) fn meet(&mut self, keys: &ArrayRef) -> Option<Numbering> {
        self.last.clear();
        let few = match keys.data_type() {
            DataType::Utf8View => self.meet_each(keys.as_string_view()),
            DataType::LargeUtf8 => self.meet_each(keys.as_string::<i64>()),
            _ => self.meet_each(keys.as_string::<i32>()),
        };
        few.then(|| Numbering { begin: 0, width: width(self.texts.len()) })
    }

    fn meet_each<'a>(&mut self, keys: impl ArrayAccessor<Item = &'a str>) -> bool {
        (0..keys.len()).all(|row| {
            let number = if keys.is_null(row) { self.null() } else { self.number(keys.value(row)) };
            self.last.push(number);
            self.texts.len() <= MOST
        })
    }

    pub(super) fn add(&self, numbering: Numbering, places: &mut [usize]) {
        for (place, number) in places.iter_mut().zip(&self.last) {
            *place = *place * numbering.width as usize + *number as usize;
        }
    }

    pub(super) fn values(&self, numbers: Vec<u64>, kind: &DataType) -> Result<ArrayRef> {
        let texts: StringArray = self.texts.iter().map(|text| text.text.as_deref()).collect();
        let texts = cast(&(Arc::new(texts) as ArrayRef), kind)?;
        Ok(take(&texts, &UInt64Array::from(numbers), None)?)
    }

    fn null(&mut self) -> u32 {
        *self.of_null.get_or_insert_with(|| {
            self.texts.push(Text { text: None, begin: Begin(0) });
            self.texts.len() as u32 - 1
        })
    }

    /// The number of a text, which gets one if it has none.
    #[inline]
    fn number(&mut self, text: &str) -> u32 {
        let begin = Begin::of(text.as_bytes());
        let mut place = begin.hash(text.as_bytes()) as usize % PLACES;
        loop {
            match self.places[place] {
                0 => break,
                found if self.texts[found as usize - 1].is(text, begin) => return found - 1,
                _ => place = (place + 1) % PLACES,
            }
        }
        self.texts.push(Text { text: Some(text.into()), begin });
        let count = self.texts.len() as u32;
        self.places[place] = count;
        count - 1
    }
}

impl Text {
    #[inline]
    fn is(&self, text: &str, begin: Begin) -> bool {
        self.begin == begin && (text.len() <= Begin::BYTES || self.text.as_deref() == Some(text))
    }
}

impl Begin {
    /// Of a text, beside its length.
    const BYTES: usize = 12;

    #[inline]
    fn of(text: &[u8]) -> Self {
        let mut bytes = [0; 16];
        let count = text.len().min(Self::BYTES);
        bytes[..count].copy_from_slice(&text[..count]);
        // No text of a column is longer than 4 GiB.
        bytes[Self::BYTES..].copy_from_slice(&(text.len() as u32).to_le_bytes());
        Self(u128::from_le_bytes(bytes))
    }

    /// Of a text that begins so.
    #[inline]
    fn hash(self, text: &[u8]) -> u64 {
        let begin = (self.0 as u64) ^ ((self.0 >> 64) as u64).rotate_left(29);
        let rest = text.get(Self::BYTES..).unwrap_or_default();
        rest.chunks(8).fold(begin.wrapping_mul(MIXER), |hash, chunk| {
            let mut bytes = [0; 8];
            bytes[..chunk.len()].copy_from_slice(chunk);
            (hash.rotate_left(23) ^ u64::from_le_bytes(bytes)).wrapping_mul(MIXER)
        }) >> 40
    }
}

/// An odd number whose bits look random.
const MIXER: u64 = 0x9e37_79b9_7f4a_7c15;

/// Exact while there are few, so that the table of groups stays small.
fn width(count: usize) -> u64 {
    let count = count.max(1);
    if count <= 16 { count as u64 } else { count.next_power_of_two() as u64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_begin_alike_lie_apart() {
        let mut texts = Texts::default();
        let numbers: Vec<u32> =
            (0..MOST as u32).map(|n| texts.number(&format!("https://example.com/{n:06}"))).collect();
        assert!(numbers.iter().copied().eq(0..MOST as u32));
        let longest = texts.places.split(|place| *place == 0).map(<[u32]>::len).max();
        assert!(longest < Some(40), "{longest:?} of them are looked through for one");
    }
}
