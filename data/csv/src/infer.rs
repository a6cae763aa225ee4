//! Looks at samples of a file: what its columns are called, and what they seem to hold.

use std::convert::Infallible;
use std::io::{self, Read as _};
use std::sync::Arc;

use crate::blocks::{Block, Blocks, whole_rows};
use crate::dialect::Dialect;
use crate::error::{Error, Result};
use crate::head;
use crate::header::Header;
use crate::index::{Index, Rows};
use crate::kind::Kind;
use crate::marks::Marks;
use crate::nulls::Nulls;
use crate::quotes::{Quotes, is_tidy, unquoted};
use crate::source::Source;

/// How much of a file is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// Bytes at the begin, in the middle and at the end of a file; default: 64 KiB. Of a file that cannot be read from
    /// its middle, or is not longer than that, as many are read at its begin. A first row that is longer is read whole.
    pub bytes: usize,
}

impl Default for Sample {
    fn default() -> Self {
        Self { bytes: 64 << 10 }
    }
}

/// The columns of a file. A column in whose samples no value was seen is of [`Kind::Null`].
///
/// A kind is a guess: a row that was not looked at may disagree, and then [`Error::Disagrees`] says what is needed.
///
/// Fails with [`Error::EmptyFile`] if there is no row at all, not even a header.
pub fn infer(source: &Arc<dyn Source>, dialect: &Dialect, sample: Sample) -> Result<Header> {
    dialect.check()?;
    let mut samples = Samples { marks: Marks::new(dialect), nulls: Nulls::new(dialect), kinds: Vec::new() };
    let all_bytes = sample.bytes.saturating_mul(3);
    let length = source.len().filter(|length| *length > all_bytes as u64);
    let head_bytes = if length.is_some() { sample.bytes } else { all_bytes };
    let names = samples.head(source, dialect, head_bytes)?;
    if let Some(length) = length {
        let unreadable = |error| Error::Io { file: source.name().to_owned(), source: error };
        for offset in [length / 2, length - sample.bytes as u64] {
            if let Some(piece) = piece(source.as_ref(), offset, sample.bytes).map_err(unreadable)? {
                samples.elsewhere(piece);
            }
        }
    }
    Ok(Header { columns: names.into_iter().zip(samples.kinds).collect() })
}

struct Samples {
    marks: Marks,
    nulls: Nulls,
    kinds: Vec<Kind>,
}

impl Samples {
    /// Looks at the first rows, and finds the names.
    fn head(&mut self, source: &Arc<dyn Source>, dialect: &Dialect, bytes: usize) -> Result<Vec<String>> {
        let mut blocks = Blocks::open(source, None, self.marks, bytes)?;
        let mut block = Block::default();
        let names = head::skip(&mut blocks, &mut block, source.name(), dialect)?;
        self.kinds = vec![Kind::Null; names.len()];
        if !block.rows().is_empty() || blocks.next(&mut block)? {
            let mut index = Index::default();
            let Ok(()) = index.build(&block, self.marks, names.len(), |_| Ok::<(), Infallible>(()));
            self.widen(&index.rows(&block, self.marks, 0, usize::MAX));
        }
        Ok(names)
    }

    /// Looks at rows in the midst of a file. Whether that is within quotes is not known, so both are tried; a piece
    /// that makes no tidy rows either way is left alone.
    fn elsewhere(&mut self, piece: Vec<u8>) {
        let mut block = Block { bytes: piece, quoted: true, ..Block::default() };
        let mut index = Index::default();
        for quotes in [Quotes::ROW_BEGINS, Quotes::WITHIN] {
            let Some(rows) = whole_rows(self.marks, &block.bytes, quotes) else { continue };
            (block.start, block.end) = (rows.start, rows.end);
            if index.build(&block, self.marks, self.kinds.len(), Err).is_ok() {
                let rows = index.rows(&block, self.marks, 0, usize::MAX);
                if self.are_tidy(&rows) {
                    return self.widen(&rows);
                }
            }
        }
    }

    /// If what is within quotes and what is not were mistaken for each other, there would be text beside quotes.
    fn are_tidy(&self, rows: &Rows<'_>) -> bool {
        let is_tidy = |row, column| is_tidy(rows.raw(row, column).text(), self.marks.quote);
        (0..rows.count).all(|row| (0..self.kinds.len()).all(|column| is_tidy(row, column)))
    }

    fn widen(&mut self, rows: &Rows<'_>) {
        for (column, kind) in self.kinds.iter_mut().enumerate() {
            for row in 0..rows.count {
                let text = unquoted(rows.raw(row, column).text(), self.marks.quote);
                if *kind != Kind::Text && !self.nulls.contains(&text) && !kind.accepts(&text) {
                    *kind = kind.wider(Kind::of(&text));
                }
            }
        }
    }
}

/// The bytes from `offset` on; the last row of a file gets its line end.
fn piece(source: &dyn Source, offset: u64, bytes: usize) -> io::Result<Option<Vec<u8>>> {
    let Some(input) = source.open_at(offset)? else { return Ok(None) };
    let mut piece = Vec::with_capacity(bytes + 1);
    input.take(bytes as u64).read_to_end(&mut piece)?;
    if source.len() == Some(offset + piece.len() as u64) {
        piece.push(b'\n');
    }
    Ok(Some(piece))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FileSource;

    fn infer_with(text: impl AsRef<[u8]>, dialect: &Dialect, sample: Sample) -> Result<Vec<(String, Kind)>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("it.csv");
        std::fs::write(&path, text).unwrap();
        let source: Arc<dyn Source> = Arc::new(FileSource::new(path));
        infer(&source, dialect, sample).map(|header| header.columns)
    }

    fn kinds(text: impl AsRef<[u8]>, bytes: usize) -> Vec<Kind> {
        let columns = infer_with(text, &Dialect::default(), Sample { bytes }).unwrap();
        columns.into_iter().map(|(_, kind)| kind).collect()
    }

    #[test]
    fn names_and_kinds_are_found() {
        let text = "\u{feff}\"a\",b,b,\r\n1,\"2\",x,\r\n\r\n-1,0.5,\"y\nz\",NA";
        let columns = infer_with(text, &Dialect::default(), Sample::default()).unwrap();
        let expected =
            [("a", Kind::Int64), ("b", Kind::Float64), ("b.1", Kind::Text), ("Unnamed: 3", Kind::Null)];
        assert_eq!(columns, expected.map(|(name, kind)| (name.to_owned(), kind)));
    }

    #[test]
    fn without_a_header_columns_are_numbered() {
        let dialect = Dialect { header: false, delimiter: b';', ..Dialect::default() };
        let columns = infer_with("\n1;true\n2;\n", &dialect, Sample::default()).unwrap();
        assert_eq!(columns, [("0".to_owned(), Kind::Int64), ("1".to_owned(), Kind::Boolean)]);
    }

    #[test]
    fn a_header_alone_has_columns_without_values() {
        assert_eq!(kinds("a,b", 64), [Kind::Null, Kind::Null]);
        assert_eq!(kinds("a,b\n", 2), [Kind::Null, Kind::Null]);
        assert_eq!(kinds("a,b\n1,2\n", 2), [Kind::Int64, Kind::Int64]);
    }

    #[test]
    fn a_file_without_rows_is_empty() {
        for text in ["", "\u{feff}", "\n\r\n"] {
            let error = infer_with(text, &Dialect::default(), Sample::default()).unwrap_err();
            assert!(matches!(error, Error::EmptyFile { .. }), "{error}");
        }
    }

    #[test]
    fn the_middle_and_the_end_are_looked_at() {
        let rows = |value: &str| format!("{value},\"a\n1,\"\n").repeat(200);
        let all = |values: [&str; 3]| format!("a,b\n{}", values.map(rows).concat());
        assert_eq!(kinds(all(["11", "12", "13"]), 100), [Kind::Int64, Kind::Text]);
        assert_eq!(kinds(all(["11", "12", "x3"]), 100), [Kind::Text, Kind::Text]);
        assert_eq!(kinds(all(["11", "1.", "13"]), 100), [Kind::Float64, Kind::Text]);
        // A piece of which no row can be made says nothing.
        assert_eq!(kinds(format!("a\n{}", "1\n".repeat(500) + &"2,x\n".repeat(100)), 100), [Kind::Int64]);
    }

    #[test]
    fn the_last_row_needs_no_line_end() {
        assert_eq!(kinds(format!("a\n{}x", "1\n".repeat(500)), 64), [Kind::Text]);
    }
}
