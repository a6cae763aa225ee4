use std::sync::Arc;

use datafusion::arrow::array::{
    Array as _, ArrayAccessor, ArrayRef, AsArray as _, GenericStringArray, OffsetSizeTrait, StringArray,
    UInt64Array,
};
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
    /// By their numbers.
    met: Vec<Text>,
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
        Self { met: Vec::new(), of_null: None, places: vec![0; PLACES], last: Vec::new() }
    }
}

impl Texts {
    /// Nothing if there are too many texts.
    pub(super) fn meet(&mut self, keys: &ArrayRef) -> Option<Numbering> {
        self.last.clear();
        let few = match keys.data_type() {
            DataType::Utf8View => {
                let texts = keys.as_string_view();
                self.meet_each(texts, |row| Begin::of_view(texts.views()[row]))
            }
            DataType::LargeUtf8 => self.meet_all(keys.as_string::<i64>()),
            _ => self.meet_all(keys.as_string::<i32>()),
        };
        few.then(|| Numbering { begin: 0, width: width(self.met.len()) })
    }

    fn meet_all<O: OffsetSizeTrait>(&mut self, texts: &GenericStringArray<O>) -> bool {
        let (offsets, all) = (texts.value_offsets(), texts.value_data());
        self.meet_each(texts, |row| {
            let (begin, end) = (offsets[row].as_usize(), offsets[row + 1].as_usize());
            Begin::within(all, begin, end - begin)
        })
    }

    fn meet_each<'a>(
        &mut self,
        texts: impl ArrayAccessor<Item = &'a str> + Copy,
        begin: impl Fn(usize) -> Begin,
    ) -> bool {
        let some_null = texts.null_count() > 0;
        (0..texts.len()).all(|row| {
            let is_null = some_null && texts.is_null(row);
            let number = if is_null { self.null() } else { self.number(begin(row), || texts.value(row)) };
            self.last.push(number);
            self.met.len() <= MOST
        })
    }

    pub(super) fn add(&self, numbering: Numbering, places: &mut [usize]) {
        for (place, number) in places.iter_mut().zip(&self.last) {
            *place = *place * numbering.width as usize + *number as usize;
        }
    }

    pub(super) fn values(&self, numbers: Vec<u64>, kind: &DataType) -> Result<ArrayRef> {
        let texts: StringArray = self.met.iter().map(|text| text.text.as_deref()).collect();
        let texts = cast(&(Arc::new(texts) as ArrayRef), kind)?;
        Ok(take(&texts, &UInt64Array::from(numbers), None)?)
    }

    fn null(&mut self) -> u32 {
        *self.of_null.get_or_insert_with(|| {
            self.met.push(Text { text: None, begin: Begin(0) });
            self.met.len() as u32 - 1
        })
    }

    /// The number of a text, which gets one if it has none.
    #[inline]
    fn number<'a>(&mut self, begin: Begin, text: impl Fn() -> &'a str) -> u32 {
        let rest = if begin.is_all() { "" } else { text() };
        let mut place = begin.hash(rest.as_bytes()) as usize % PLACES;
        loop {
            match self.places[place] {
                0 => break,
                found if self.met[found as usize - 1].is(begin, rest) => return found - 1,
                _ => place = (place + 1) % PLACES,
            }
        }
        self.met.push(Text { text: Some(text().into()), begin });
        let count = self.met.len() as u32;
        self.places[place] = count;
        count - 1
    }
}

impl Text {
    #[inline]
    fn is(&self, begin: Begin, text: &str) -> bool {
        self.begin == begin && (begin.is_all() || self.text.as_deref() == Some(text))
    }
}

impl Begin {
    /// Of a text, before its length.
    const BYTES: usize = 12;

    /// Of the text of `length` bytes that begins there in `all`.
    #[inline]
    fn within(all: &[u8], begin: usize, length: usize) -> Self {
        let mut bytes = [0; 16];
        if let Some(more) = all.get(begin..begin + 16) {
            // Also what is behind the text, which costs less than to copy a number of bytes that nobody can foresee.
            bytes.copy_from_slice(more);
        } else {
            let count = length.min(Self::BYTES);
            bytes[..count].copy_from_slice(&all[begin..begin + count]);
        }
        let own = (1_u128 << (8 * length.min(Self::BYTES))) - 1;
        Self::new(u128::from_le_bytes(bytes) & own, length)
    }

    /// Of a text in a view, which has the length before the first bytes.
    #[inline]
    fn of_view(view: u128) -> Self {
        let length = view as u32 as usize;
        if length <= Self::BYTES {
            return Self::new(view >> 32, length);
        }
        // Only four bytes of a longer text lie in its view.
        Self::new((view >> 32) & 0xffff_ffff, length)
    }

    /// No text of a column is longer than 4 GiB.
    #[inline]
    fn new(bytes: u128, length: usize) -> Self {
        Self(bytes | (u128::from(length as u32) << (8 * Self::BYTES)))
    }

    /// Whether the text has no other bytes.
    #[inline]
    fn is_all(self) -> bool {
        (self.0 >> (8 * Self::BYTES)) as usize <= Self::BYTES
    }

    /// Of the text, which is looked at if it is longer than its begin.
    #[inline]
    fn hash(self, text: &[u8]) -> u64 {
        let begin = (self.0 as u64) ^ ((self.0 >> 64) as u64).rotate_left(29);
        text.chunks(8).fold(begin.wrapping_mul(MIXER), |hash, chunk| {
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
    use datafusion::arrow::array::StringViewArray;

    use super::*;

    fn numbers(texts: &[String], kind: &DataType) -> (Texts, Vec<u32>) {
        let array: ArrayRef = Arc::new(texts.iter().map(Some).collect::<StringViewArray>());
        let mut met = Texts::default();
        assert!(met.meet(&cast(&array, kind).unwrap()).is_some());
        let numbers = met.last.clone();
        (met, numbers)
    }

    #[test]
    fn texts_that_begin_alike_lie_apart() {
        let all: Vec<String> = (0..MOST).map(|n| format!("https://example.com/{n:06}")).collect();
        for kind in [DataType::Utf8, DataType::LargeUtf8, DataType::Utf8View] {
            let (texts, numbers) = numbers(&all, &kind);
            assert!(numbers.into_iter().eq(0..MOST as u32));
            let longest = texts.places.split(|place| *place == 0).map(<[u32]>::len).max();
            assert!(longest < Some(40), "{longest:?} of them are looked through for one");
        }
    }

    #[test]
    fn texts_of_all_lengths_are_told_apart_and_given_back() {
        // No text is another's begin, whatever stands behind it.
        let all: Vec<String> =
            (0..40).flat_map(|n| ["a".repeat(n), format!("{}\0", "a".repeat(n))]).collect();
        for kind in [DataType::Utf8, DataType::LargeUtf8, DataType::Utf8View] {
            let twice = [all.clone(), all.clone()].concat();
            let (texts, numbers) = numbers(&twice, &kind);
            assert_eq!(texts.met.len(), all.len(), "{kind}");
            let values = texts.values(numbers.into_iter().map(u64::from).collect(), &DataType::Utf8).unwrap();
            assert!(
                values.as_string::<i32>().iter().eq(twice.iter().map(|text| Some(text.as_str()))),
                "{kind}"
            );
        }
    }
}
