//! Finds where the fields of a block end.

use crate::blocks::Block;
use crate::marks::{Marks, for_each_word};
use crate::quotes::Quotes;

/// Puts the end of every field into `ends`, after the position before the first, and counts the rows.
pub(crate) fn find_ends(block: &Block, marks: Marks, ends: &mut Vec<u32>) -> usize {
    if block.quoted {
        let mut quotes = Quotes::ROW_BEGINS;
        find(block, ends, |bytes| {
            let word = marks.word(bytes);
            let outside = !quotes.walk(&word);
            (word.delimiters & outside, word.newlines & outside)
        })
    } else {
        find(block, ends, |bytes| {
            let word = marks.word_without_quotes(bytes);
            (word.delimiters, word.newlines)
        })
    }
}

#[inline]
fn find(block: &Block, ends: &mut Vec<u32>, mut masks: impl FnMut(&[u8; 64]) -> (u64, u64)) -> usize {
    let (mut count, mut rows) = (1, 0);
    for_each_word(block.rows(), |at, bytes| {
        let (delimiters, newlines) = masks(bytes);
        rows += newlines.count_ones() as usize;
        if ends.len() < count + 64 {
            ends.resize((2 * count).max(count + 1024), 0);
        }
        let slots = ends[count..].first_chunk_mut().expect("there is room for 64");
        count += put(slots, delimiters | newlines, (block.start + at) as u32);
    });
    ends.resize(count, 0);
    ends[0] = (block.start as u32).wrapping_sub(1);
    rows
}

/// Puts the positions of the bits into `slots`, and counts them. What lies behind them is arbitrary.
#[inline]
fn put(slots: &mut [u32; 64], mut bits: u64, base: u32) -> usize {
    let count = bits.count_ones() as usize;
    // Eight at a time, whether or not there are so many: that is cheaper than to ask after each.
    let mut done = 0;
    while done < count {
        for slot in &mut slots[done..done + 8] {
            // The highest bit changes nothing where there is another, and keeps the count of zeros defined.
            *slot = base + (bits | 1 << 63).trailing_zeros();
            bits &= bits.wrapping_sub(1);
        }
        done += 8;
    }
    count
}
