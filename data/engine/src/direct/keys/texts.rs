use std::sync::Arc;

use datafusion::arrow::array::{Array as _, ArrayRef, AsArray as _, StringViewArray};

use super::Numbering;

/// Different texts, at most: with more of them hashing costs as little.
const MOST: usize = 1024;

/// Places of the table that finds a text. It stays half empty at least.
const PLACES: usize = 4 * MOST;

/// Bytes of a text that lies within its view.
const SHORT: u32 = 12;

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

#[derive(Debug, PartialEq, Eq)]
enum Text {
    Null,
    /// Its view, which has all of it.
    Short(u128),
    Long(Box<str>),
}

impl Default for Texts {
    fn default() -> Self {
        Self { texts: Vec::new(), of_null: None, places: vec![0; PLACES], last: Vec::new() }
    }
}

impl Texts {
    /// Nothing if there are too many texts.
    pub(super) fn meet(&mut self, keys: &ArrayRef) -> Option<Numbering> {
        let keys = keys.as_string_view();
        self.last.clear();
        for row in 0..keys.len() {
            let number = if keys.is_null(row) { self.null() } else { self.number(keys, row) };
            self.last.push(number);
            if self.texts.len() > MOST {
                return None;
            }
        }
        Some(Numbering { begin: 0, width: width(self.texts.len()) })
    }

    pub(super) fn add(&self, numbering: Numbering, places: &mut [usize]) {
        for (place, number) in places.iter_mut().zip(&self.last) {
            *place = *place * numbering.width as usize + *number as usize;
        }
    }

    pub(super) fn values(&self, numbers: &[u64]) -> ArrayRef {
        Arc::new(numbers.iter().map(|number| self.text(*number)).collect::<StringViewArray>())
    }

    fn text(&self, number: u64) -> Option<String> {
        match self.texts.get(number as usize)? {
            Text::Null => None,
            Text::Short(view) => {
                let bytes = view.to_le_bytes();
                let length = bytes[0] as usize;
                Some(String::from_utf8_lossy(&bytes[4..4 + length]).into_owned())
            }
            Text::Long(text) => Some(text.to_string()),
        }
    }

    fn null(&mut self) -> u32 {
        *self.of_null.get_or_insert_with(|| {
            self.texts.push(Text::Null);
            self.texts.len() as u32 - 1
        })
    }

    #[inline]
    fn number(&mut self, keys: &StringViewArray, row: usize) -> u32 {
        let view = keys.views()[row];
        if view as u32 <= SHORT {
            return self.found(hash_of_short(view), |text| *text == Text::Short(view), || Text::Short(view));
        }
        let long = keys.value(row);
        let is_it = |text: &Text| matches!(text, Text::Long(text) if **text == *long);
        self.found(hash_of_long(long.as_bytes()), is_it, || Text::Long(long.into()))
    }

    /// The number of the text that `is_it`, which is made if there is none.
    #[inline]
    fn found(&mut self, hash: u64, is_it: impl Fn(&Text) -> bool, make: impl FnOnce() -> Text) -> u32 {
        let mut place = (hash >> 40) as usize % PLACES;
        loop {
            match self.places[place] {
                0 => break,
                found if is_it(&self.texts[found as usize - 1]) => return found - 1,
                _ => place = (place + 1) % PLACES,
            }
        }
        self.texts.push(make());
        let count = self.texts.len() as u32;
        self.places[place] = count;
        count - 1
    }
}

/// Exact while there are few, so that the table of groups stays small.
fn width(count: usize) -> u64 {
    let count = count.max(1);
    if count <= 16 { count as u64 } else { count.next_power_of_two() as u64 }
}

const MIXER: u64 = 0x9e37_79b9_7f4a_7c15;

fn hash_of_short(view: u128) -> u64 {
    ((view as u64) ^ ((view >> 64) as u64).rotate_left(29)).wrapping_mul(MIXER)
}

fn hash_of_long(text: &[u8]) -> u64 {
    text.chunks(8).fold(text.len() as u64, |hash, chunk| {
        let mut bytes = [0; 8];
        bytes[..chunk.len()].copy_from_slice(chunk);
        (hash ^ u64::from_le_bytes(bytes)).wrapping_mul(MIXER).rotate_left(31)
    })
}
