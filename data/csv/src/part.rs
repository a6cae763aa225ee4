//! Cuts a file into parts that can be read without each other, by other processes too.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::blocks::{Block, Blocks, last_row_end, newlines, unreadable};
use crate::dialect::Dialect;
use crate::error::Result;
use crate::index::first_row;
use crate::marks::Marks;
use crate::source::Source;

/// Bytes that are looked at together while a file is cut: few enough to stay in a core's cache.
const BLOCK_BYTES: usize = 256 << 10;

/// A part of a file, which begins and ends where rows do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// In bytes from the begin of the file. The part at 0 includes the byte order mark and the header.
    pub start: u64,
    /// Where the next part begins, or the file ends.
    pub end: u64,
    /// The number of the line at `start`; 1 is the first.
    pub line: u64,
    /// Of the whole file in bytes, when it was cut. A file that has another one when the part is read has changed.
    pub length: u64,
}

impl Part {
    pub(crate) fn whole(length: u64) -> Self {
        Self { start: 0, end: length, line: 1, length }
    }
}

/// Cuts a file into at most `count` parts of about the same number of bytes, at row ends outside of quotes. They
/// follow one another without a gap, and together they are the file.
///
/// A cut is at the last row end of an equal share of the bytes, so that a part exceeds its share by less than a row; a
/// share in which no row ends gets no cut. The first row, which may be the header, is always in the first part. A file
/// without rows is one part, and so is any file, which then is not read, if `count` is 1 or 0.
///
/// Nothing if the file cannot be cut: its length is not known, or it can only be read from its begin.
///
/// The file is read once, up to the last cut. Fails as a scan would if a row of it is too long or a quote is never
/// closed, and with [`Error::BadDialect`](crate::Error::BadDialect).
pub fn parts(source: &Arc<dyn Source>, dialect: &Dialect, count: usize) -> Result<Option<Vec<Part>>> {
    dialect.check()?;
    let Some(length) = source.len() else { return Ok(None) };
    if source.open_at(0).map_err(|error| unreadable(source.as_ref(), error))?.is_none() {
        return Ok(None);
    }
    let cutter = Cutter::new(Marks::new(dialect), length, count);
    cutter.cut(source, BLOCK_BYTES).map(Some)
}

struct Cutter {
    marks: Marks,
    length: u64,
    count: u64,
    /// How many shares of the file are done, each with a cut or, where a row is too long, without.
    shares: u64,
    has_first_row: bool,
    parts: Vec<Part>,
    /// What is not yet cut.
    rest: Part,
}

impl Cutter {
    fn new(marks: Marks, length: u64, count: usize) -> Self {
        let (parts, rest) = (Vec::new(), Part::whole(length));
        Self {
            marks,
            length,
            count: (count as u64).min(length),
            shares: 0,
            has_first_row: false,
            parts,
            rest,
        }
    }

    fn cut(mut self, source: &Arc<dyn Source>, block_bytes: usize) -> Result<Vec<Part>> {
        if self.target().is_some() {
            let mut blocks = Blocks::open(source, None, self.marks, block_bytes)?;
            let mut block = Block::default();
            while self.target().is_some() && blocks.next(&mut block)? {
                self.cut_within(&block);
            }
        }
        self.parts.push(self.rest);
        Ok(self.parts)
    }

    /// Where the share ends that is next; the last one ends with the file.
    fn target(&self) -> Option<u64> {
        let share = self.shares + 1;
        let target = || u128::from(self.length) * u128::from(share) / u128::from(self.count);
        (share < self.count).then(|| target() as u64)
    }

    fn cut_within(&mut self, block: &Block) {
        let mut at = 0;
        if !self.has_first_row {
            let Some((_, end)) = first_row(block, self.marks) else { return };
            self.has_first_row = true;
            at = end;
        }
        let mut line = block.line_at(at);
        while let Some(target) = self.target()
            && target <= block.offset + block.end as u64
        {
            let target = at.max(target.saturating_sub(block.offset) as usize);
            let end = at + last_row_end(self.marks, &block.bytes[at..target]);
            line += newlines(&block.bytes[at..end]);
            at = end;
            self.cut_at(block.offset + at as u64, line);
            self.shares += 1;
        }
    }

    /// No part is empty.
    fn cut_at(&mut self, offset: u64, line: u64) {
        if offset > self.rest.start && offset < self.length {
            self.parts.push(Part { end: offset, ..self.rest });
            (self.rest.start, self.rest.line) = (offset, line);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Cursor};

    use proptest::prelude::*;

    use super::*;
    use crate::source::Input;

    struct Text(String);

    impl Source for Text {
        fn name(&self) -> &'static str {
            "it.csv"
        }

        fn len(&self) -> Option<u64> {
            Some(self.0.len() as u64)
        }

        fn open(&self) -> io::Result<Input> {
            Ok(Box::new(Cursor::new(self.0.clone().into_bytes())))
        }
    }

    fn cut(text: &str, count: usize, block_bytes: usize) -> Result<Vec<Part>> {
        let source: Arc<dyn Source> = Arc::new(Text(text.to_owned()));
        Cutter::new(Marks::new(&Dialect::default()), text.len() as u64, count).cut(&source, block_bytes)
    }

    fn pieces(text: &str, count: usize) -> Vec<&str> {
        let parts = cut(text, count, BLOCK_BYTES).unwrap();
        parts.iter().map(|part| &text[part.start as usize..part.end as usize]).collect()
    }

    #[test]
    fn parts_end_where_rows_do() {
        assert_eq!(pieces("a\n1\n2\n3\n", 2), ["a\n1\n", "2\n3\n"]);
        assert_eq!(pieces("a\n1\n2\n3", 4), ["a\n", "1\n", "2\n3"]);
        assert_eq!(pieces("a\r\n1\r\n2\r\n", 3), ["a\r\n", "1\r\n", "2\r\n"]);
        assert_eq!(pieces("a\n1\n\"\n\n\n\n\n\n\"\n2\n", 3), ["a\n1\n", "\"\n\n\n\n\n\n\"\n2\n"]);
        assert_eq!(pieces("\u{feff}\"a\nb\"\n1\n", usize::MAX), ["\u{feff}\"a\nb\"\n", "1\n"]);
    }

    #[test]
    fn the_first_row_is_in_the_first_part() {
        assert_eq!(pieces("\n\n\n\n\n\na\n1\n", 8), ["\n\n\n\n\n\na\n", "1\n"]);
        assert_eq!(pieces("a long header\n1\n2\n", 9), ["a long header\n", "1\n", "2\n"]);
        for text in ["", "\u{feff}", "\n\n\n", "a header alone", "a header alone\n"] {
            assert_eq!(pieces(text, 5), [text]);
        }
    }

    #[test]
    fn a_row_may_be_longer_than_a_share() {
        let huge = format!("\"{}\"\n", "\"\"\n".repeat(BLOCK_BYTES));
        let text = format!("a\n1\n{huge}2\n3\n");
        assert_eq!(pieces(&text, 3), ["a\n1\n", &text[4..]]);
        let text = format!("a\n{huge}{}", "1\n".repeat(huge.len()));
        assert_eq!(pieces(&text, 6).iter().map(|piece| piece.len() / huge.len()).sum::<usize>(), 1);
    }

    proptest! {
        #[test]
        fn cuts_do_not_depend_on_blocks(
            text in "\u{feff}?[a,\n\r]{0,80}(\"[a\n]{0,150}\"[,\n]|[a,\"\n]){0,40}",
            count in 0..40_usize,
            block_bytes in 1..300_usize,
        ) {
            let whole = cut(&text, count, 1 << 20);
            let in_blocks = cut(&text, count, block_bytes);
            if let (Ok(whole), Ok(in_blocks)) = (whole, in_blocks) {
                prop_assert_eq!(whole, in_blocks);
            }
        }
    }
}
