//! Where the bytes are that give a file its structure, 64 bytes at a time: a bit stands for a byte.

use wide::u8x64;

use crate::dialect::Dialect;

/// Behind the last byte; the dialect's bytes are ASCII.
const PADDING: u8 = 0xff;

/// The bytes that give a file its structure, besides `\n`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Marks {
    delimiter: u8,
    pub(crate) quote: u8,
}

/// The marks of 64 bytes, the first byte's in the lowest bit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Word {
    pub(crate) delimiters: u64,
    pub(crate) newlines: u64,
    pub(crate) quotes: u64,
}

impl Marks {
    pub(crate) fn new(dialect: &Dialect) -> Self {
        Self { delimiter: dialect.delimiter, quote: dialect.quote }
    }

    #[inline]
    pub(crate) fn word(self, bytes: &[u8; 64]) -> Word {
        Word { quotes: matches(bytes, self.quote), ..self.word_without_quotes(bytes) }
    }

    /// Of bytes among which no quote is.
    #[inline]
    pub(crate) fn word_without_quotes(self, bytes: &[u8; 64]) -> Word {
        let delimiters = matches(bytes, self.delimiter);
        Word { delimiters, newlines: matches(bytes, b'\n'), quotes: 0 }
    }
}

/// Calls `visit` with the position of every 64 bytes and with them. The last ones are padded with bytes that are no
/// marks.
#[inline]
pub(crate) fn for_each_word(bytes: &[u8], mut visit: impl FnMut(usize, &[u8; 64])) {
    let (words, rest) = bytes.as_chunks::<64>();
    for (index, word) in words.iter().enumerate() {
        visit(index * 64, word);
    }
    if !rest.is_empty() {
        let mut last = [PADDING; 64];
        last[..rest.len()].copy_from_slice(rest);
        visit(words.len() * 64, &last);
    }
}

#[inline]
fn matches(bytes: &[u8; 64], byte: u8) -> u64 {
    u8x64::new(*bytes).simd_eq(u8x64::splat(byte)).to_bitmask()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_its_bit_and_padding_has_none() {
        let marks = Marks::new(&Dialect::default());
        let text: Vec<u8> = b"a,\"\n".iter().copied().cycle().take(130).collect();
        let mut found = Vec::new();
        for_each_word(&text, |at, bytes| {
            let Word { delimiters, newlines, quotes } = marks.word(bytes);
            for bit in 0..64 {
                let is = |mask: u64| mask >> bit & 1 == 1;
                found.push((at + bit, is(delimiters), is(quotes), is(newlines)));
            }
        });
        for (at, is_delimiter, is_quote, is_newline) in found {
            let byte = text.get(at).copied().unwrap_or_default();
            assert_eq!((is_delimiter, is_quote, is_newline), (byte == b',', byte == b'"', byte == b'\n'));
        }
    }
}
