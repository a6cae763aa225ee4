//! What is within quotes. Every file is walked from its begin, so this is always known and never guessed.

use std::borrow::Cow;

use crate::marks::Word;

/// What is known between two bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Quotes {
    /// A field is open that began with a quote.
    pub(crate) inside: bool,
    /// A quote would have a meaning here: a field begins, or its quotes were just closed, and a second quote opens
    /// them again.
    opens: bool,
}

impl Quotes {
    pub(crate) const ROW_BEGINS: Self = Self { inside: false, opens: true };
    /// Of a place in the midst of a quoted field.
    pub(crate) const WITHIN: Self = Self { inside: true, opens: false };

    /// Which bytes of `word` are within quotes; opening quotes are, closing ones are not.
    #[inline]
    pub(crate) fn walk(&mut self, word: &Word) -> u64 {
        let ends = word.delimiters | word.newlines;
        // As long as every quote has a meaning, what lies within is what an odd number of them precedes.
        let inside = up_to_each(word.quotes) ^ 0_u64.wrapping_sub(u64::from(self.inside));
        let may_open = (ends | word.quotes) << 1 | u64::from(self.opens);
        if word.quotes & inside & !may_open != 0 {
            return self.walk_singly(word);
        }
        self.inside = inside >> 63 == 1;
        self.opens = (ends | word.quotes) >> 63 == 1;
        inside
    }

    /// Where a quote is text because it stands in the midst of an unquoted field.
    #[cold]
    fn walk_singly(&mut self, word: &Word) -> u64 {
        let mut inside = 0;
        for bit in (0..64).map(|index| 1_u64 << index) {
            let is_quote = word.quotes & bit != 0;
            if is_quote && (self.inside || self.opens) {
                *self = Self { inside: !self.inside, opens: true };
            } else {
                self.opens = (word.delimiters | word.newlines) & bit != 0;
            }
            if self.inside {
                inside |= bit;
            }
        }
        inside
    }
}

/// For each bit, whether the number of bits up to it is odd.
#[inline]
fn up_to_each(mut bits: u64) -> u64 {
    for shift in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << shift;
    }
    bits
}

/// The value of a field as it stands in its file.
pub(crate) fn unquoted(raw: &[u8], quote: u8) -> Cow<'_, [u8]> {
    let Some(mut rest) = raw.strip_prefix(&[quote]) else { return Cow::Borrowed(raw) };
    let mut value = Vec::new();
    while let Some(at) = memchr::memchr(quote, rest) {
        let is_doubled = rest.get(at + 1) == Some(&quote);
        if !is_doubled && at + 1 == rest.len() && value.is_empty() {
            return Cow::Borrowed(&rest[..at]);
        }
        value.extend_from_slice(&rest[..at]);
        rest = &rest[at + 1..];
        if !is_doubled {
            break;
        }
        value.push(quote);
        rest = &rest[1..];
    }
    // What follows closed quotes is text.
    value.extend_from_slice(rest);
    Cow::Owned(value)
}

/// Whether a field has quotes around it or none at all, and those within are doubled: as writers write it.
pub(crate) fn is_tidy(raw: &[u8], quote: u8) -> bool {
    match raw {
        [first, within @ .., last] if *first == quote && *last == quote => {
            let mut quotes = memchr::memchr_iter(quote, within);
            while let Some(at) = quotes.next() {
                if quotes.next() != Some(at + 1) {
                    return false;
                }
            }
            true
        }
        _ => !raw.contains(&quote),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::dialect::Dialect;
    use crate::marks::{Marks, for_each_word};

    /// Byte for byte, as the rule is told: the positions of delimiters and line ends that are no text.
    fn ends(text: &[u8]) -> Vec<usize> {
        let mut ends = Vec::new();
        let (mut is_begin, mut is_quoted, mut at) = (true, false, 0);
        while at < text.len() {
            match text[at] {
                b'"' if is_quoted && text.get(at + 1) == Some(&b'"') => at += 1,
                b'"' if is_quoted => is_quoted = false,
                b'"' if is_begin => is_quoted = true,
                b',' | b'\n' if !is_quoted => ends.push(at),
                _ => {}
            }
            is_begin = ends.last() == Some(&at);
            at += 1;
        }
        ends
    }

    fn walked(text: &[u8]) -> Vec<usize> {
        let marks = Marks::new(&Dialect::default());
        let (mut quotes, mut ends) = (Quotes::ROW_BEGINS, Vec::new());
        for_each_word(text, |at, bytes| {
            let word = marks.word(bytes);
            let outside = (word.delimiters | word.newlines) & !quotes.walk(&word);
            ends.extend((0..64).filter(|bit| outside >> bit & 1 == 1).map(|bit| at + bit));
        });
        ends
    }

    #[test]
    fn quotes_within_an_unquoted_field_are_text() {
        assert_eq!(walked(b"5\" disk,a\n\"x,\"\"\ny\",b\n"), [7, 9, 18, 20]);
    }

    proptest! {
        #[test]
        fn ends_are_those_of_a_byte_for_byte_walk(text in "[a,\"\n]{0,300}") {
            prop_assert_eq!(walked(text.as_bytes()), ends(text.as_bytes()), "{:?}", text);
        }

        #[test]
        fn what_is_quoted_is_found_again(value in "[a\",\n]{0,20}") {
            let raw = format!("\"{}\"", value.replace('"', "\"\""));
            prop_assert_eq!(unquoted(raw.as_bytes(), b'"'), value.as_bytes());
        }
    }

    #[test]
    fn tidy_fields_are_told_from_others() {
        for raw in ["", "a", "\"\"", "\"a\"", "\"a\"\"b\"", "\"\"\"\""] {
            assert!(is_tidy(raw.as_bytes(), b'"'), "{raw}");
        }
        for raw in ["\"", "a\"", "\"a", "\"a\"b\"", "\"a\"b", "\"\"\""] {
            assert!(!is_tidy(raw.as_bytes(), b'"'), "{raw}");
        }
    }

    #[test]
    fn what_follows_closed_quotes_is_text() {
        let values =
            [("a", "a"), ("", ""), ("\"\"", ""), ("\"a\"b\"c\"", "ab\"c\""), ("a\"b", "a\"b"), ("\"", "")];
        for (raw, value) in values {
            assert_eq!(unquoted(raw.as_bytes(), b'"'), value.as_bytes(), "{raw}");
        }
    }
}
