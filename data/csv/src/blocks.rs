//! Cuts a file into blocks of whole rows. Whoever has a block can parse it without knowing the others.

use std::io::{self, Read as _};
use std::ops::Range;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::marks::{Marks, for_each_word};
use crate::part::Part;
use crate::quotes::Quotes;
use crate::source::{Input, Source};

/// The longest row, in bytes. The positions in a block fit into 32 bits.
pub(crate) const LONGEST: usize = 64 << 20;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Whole rows of a file, each with its line end.
#[derive(Debug, Default)]
pub(crate) struct Block {
    /// May be longer than the rows: it is used again for the next block, and what lies behind them is arbitrary.
    pub(crate) bytes: Vec<u8>,
    /// Where the rows begin and end.
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// The number of the first byte's line.
    pub(crate) line: u64,
    /// Of the first byte in the file.
    pub(crate) offset: u64,
    /// Whether there is any quote.
    pub(crate) quoted: bool,
}

impl Block {
    pub(crate) fn rows(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    /// The number of the line on which the byte at `position` is.
    pub(crate) fn line_at(&self, position: usize) -> u64 {
        self.line + newlines(&self.bytes[..position])
    }
}

/// A file that is being read, or a part of it.
pub(crate) struct Blocks {
    source: Arc<dyn Source>,
    /// Ends where the part does.
    input: io::Take<Input>,
    marks: Marks,
    block_bytes: usize,
    /// The begin of a row whose end was not yet read.
    carry: Vec<u8>,
    line: u64,
    offset: u64,
    /// What is expected; nothing if the length of a whole file is not known.
    part: Option<Part>,
    bytes_read: u64,
    has_ended: bool,
}

/// What is known of the bytes read so far.
struct Cut {
    /// The end of the last whole row.
    end: usize,
    /// Whether the row after it ends within quotes.
    inside: bool,
    quoted: bool,
}

impl Blocks {
    /// Opens a part of a file, or all of it.
    pub(crate) fn open(
        source: &Arc<dyn Source>,
        part: Option<Part>,
        marks: Marks,
        block_bytes: usize,
    ) -> Result<Self> {
        let input = match part {
            Some(part) => open_part(source.as_ref(), part)?,
            // To the end, wherever it is, so that it is seen if the file grew.
            None => open_at(source.as_ref(), 0)?.take(u64::MAX),
        };
        let part = part.or_else(|| source.len().map(Part::whole));
        let (offset, line) = part.map_or((0, 1), |part| (part.start, part.line));
        let mut blocks = Self {
            source: Arc::clone(source),
            input,
            marks,
            block_bytes: block_bytes.clamp(1, LONGEST),
            carry: Vec::new(),
            line,
            offset,
            part,
            bytes_read: 0,
            has_ended: false,
        };
        if offset == 0 {
            blocks.skip_byte_order_mark()?;
        }
        Ok(blocks)
    }

    /// Puts the next rows into `block`, or returns false if there are none.
    pub(crate) fn next(&mut self, block: &mut Block) -> Result<bool> {
        let mut filled = self.carry.len();
        let mut want = self.block_bytes.max(2 * filled).min(LONGEST);
        if block.bytes.len() < filled {
            block.bytes.resize(filled, 0);
        }
        block.bytes[..filled].copy_from_slice(&self.carry);
        let cut = loop {
            filled = self.fill(&mut block.bytes, filled, want)?;
            if self.has_ended {
                break self.last_cut(&mut block.bytes, &mut filled)?;
            }
            let cut = cut(self.marks, &block.bytes[..filled]);
            if cut.end > 0 {
                break cut;
            }
            if want >= LONGEST {
                return Err(self.too_long(&cut));
            }
            want = (want * 2).min(LONGEST);
        };
        self.hand_out(block, &cut, filled);
        Ok(cut.end > 0)
    }

    fn hand_out(&mut self, block: &mut Block, cut: &Cut, filled: usize) {
        self.carry.clear();
        self.carry.extend_from_slice(&block.bytes[cut.end..filled]);
        (block.start, block.end, block.quoted) = (0, cut.end, cut.quoted);
        (block.line, block.offset) = (self.line, self.offset);
        self.line += newlines(&block.bytes[..cut.end]);
        self.offset += cut.end as u64;
    }

    /// Reads until `bytes` holds `want` bytes or the file ends.
    fn fill(&mut self, bytes: &mut Vec<u8>, mut filled: usize, want: usize) -> Result<usize> {
        if bytes.len() < want {
            bytes.resize(want, 0);
        }
        while filled < want && !self.has_ended {
            match self.input.read(&mut bytes[filled..want]) {
                Ok(0) => self.end()?,
                Ok(count) => {
                    filled += count;
                    self.bytes_read += count as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(unreadable(self.source.as_ref(), error)),
            }
        }
        Ok(filled)
    }

    fn end(&mut self) -> Result<()> {
        self.has_ended = true;
        let Some(part) = self.part else { return Ok(()) };
        let end = part.start.saturating_add(self.bytes_read);
        let length = if end == part.end { self.source.len().unwrap_or_default() } else { end };
        check_length(self.source.as_ref(), part, length)
    }

    /// The last row gets the line end that it may lack.
    fn last_cut(&mut self, bytes: &mut Vec<u8>, filled: &mut usize) -> Result<Cut> {
        if *filled > 0 && bytes[*filled - 1] != b'\n' {
            bytes.truncate(*filled);
            bytes.push(b'\n');
            *filled += 1;
        }
        let cut = cut(self.marks, &bytes[..*filled]);
        if cut.inside {
            let line = self.line + newlines(&bytes[..cut.end]);
            return Err(Error::UnclosedQuote { file: self.source.name().to_owned(), line });
        }
        Ok(cut)
    }

    fn too_long(&self, cut: &Cut) -> Error {
        let (file, line) = (self.source.name().to_owned(), self.line);
        if cut.inside {
            Error::UnclosedQuote { file, line }
        } else {
            Error::RowTooLong { file, line, limit: LONGEST }
        }
    }

    fn skip_byte_order_mark(&mut self) -> Result<()> {
        let mut carry = Vec::new();
        let filled = self.fill(&mut carry, 0, BYTE_ORDER_MARK.len())?;
        carry.truncate(filled);
        if carry == BYTE_ORDER_MARK {
            self.offset = carry.len() as u64;
            carry.clear();
        }
        self.carry = carry;
        Ok(())
    }
}

/// A file that changed since it was cut is refused before a row of it is read.
fn open_part(source: &dyn Source, part: Part) -> Result<io::Take<Input>> {
    check_length(source, part, source.len().unwrap_or_default())?;
    Ok(open_at(source, part.start)?.take(part.end.saturating_sub(part.start)))
}

fn open_at(source: &dyn Source, offset: u64) -> Result<Input> {
    let input = if offset == 0 { source.open().map(Some) } else { source.open_at(offset) };
    input
        .and_then(|input| input.ok_or_else(|| io::Error::other("it can only be read from its begin")))
        .map_err(|error| unreadable(source, error))
}

fn check_length(source: &dyn Source, part: Part, found: u64) -> Result<()> {
    if found == part.length {
        return Ok(());
    }
    Err(Error::FileChanged { file: source.name().to_owned(), expected: part.length, found })
}

/// The end of the last whole row of `bytes`, which begin as a row does; 0 if there is none.
pub(crate) fn last_row_end(marks: Marks, bytes: &[u8]) -> usize {
    cut(marks, bytes).end
}

fn cut(marks: Marks, bytes: &[u8]) -> Cut {
    if memchr::memchr(marks.quote, bytes).is_none() {
        let end = memchr::memrchr(b'\n', bytes).map_or(0, |newline| newline + 1);
        return Cut { end, inside: false, quoted: false };
    }
    let (mut quotes, mut end) = (Quotes::ROW_BEGINS, 0);
    let mut inside = false;
    for_each_word(bytes, |at, chunk| {
        let word = marks.word(chunk);
        let newlines = word.newlines & !quotes.walk(&word);
        if newlines != 0 {
            end = at + 64 - newlines.leading_zeros() as usize;
        }
        inside = quotes.inside;
    });
    Cut { end, inside, quoted: true }
}

/// The rows between the first line end of `bytes` and the last, if they begin as `quotes` says.
pub(crate) fn whole_rows(marks: Marks, bytes: &[u8], mut quotes: Quotes) -> Option<Range<usize>> {
    let mut rows: Option<Range<usize>> = None;
    for_each_word(bytes, |at, chunk| {
        let word = marks.word(chunk);
        let newlines = word.newlines & !quotes.walk(&word);
        if newlines != 0 {
            let first = at + newlines.trailing_zeros() as usize + 1;
            let last = at + 64 - newlines.leading_zeros() as usize;
            rows = Some(rows.as_ref().map_or(first, |rows| rows.start)..last);
        }
    });
    rows.filter(|rows| !rows.is_empty())
}

pub(crate) fn newlines(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}

pub(crate) fn unreadable(source: &dyn Source, error: io::Error) -> Error {
    Error::Io { file: source.name().to_owned(), source: error }
}
