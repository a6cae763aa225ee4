use std::io;

use crate::kind::Kind;

/// Characters of a file's text that an error shows.
const SHOWN: usize = 200;

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What keeps files from being read. Lines are counted from 1, line ends within quotes included.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error("cannot read {file}")]
    Io { file: String, source: io::Error },

    /// No header and no row.
    #[error("{file} is empty: there is no header to name its columns")]
    EmptyFile { file: String },

    /// Files that are read together must have the same columns in the same order.
    #[error(
        "{file} and {other} differ in column {position}: {} and {}",
        named(found.as_deref()),
        named(expected.as_deref())
    )]
    HeadersDiffer {
        file: String,
        other: String,
        /// Of the column, from 1.
        position: usize,
        /// Its name in `file`; nothing if `file` has fewer columns.
        found: Option<String>,
        /// Its name in `other`.
        expected: Option<String>,
    },

    /// A row with too many or too few fields.
    #[error("{file}, line {line}: the row has {found} fields instead of {expected}: {text}")]
    BadRow {
        file: String,
        line: u64,
        expected: usize,
        found: usize,
        /// The row, cut and escaped.
        text: String,
    },

    /// A value that the column's kind cannot hold. Reading all again with `needed` gets past it.
    #[error(
        "{file}, line {line}: column {column} was taken for {declared}, but `{text}` is {found}; \
         it must be read as {needed}"
    )]
    Disagrees {
        file: String,
        line: u64,
        column: String,
        declared: Kind,
        found: Kind,
        /// The narrowest kind that holds what was declared and this value.
        needed: Kind,
        /// The value, cut and escaped.
        text: String,
    },

    /// Lines of a file end in carriage returns, as they did on old Macs.
    #[error("{file}: the lines end in a carriage return alone; save it with other line ends")]
    CarriageReturns { file: String },

    /// A text that is no UTF-8.
    #[error("{file}, line {line}: column {column} is no UTF-8 at byte {offset} of the file: {text}")]
    InvalidUtf8 {
        file: String,
        line: u64,
        column: String,
        /// Of the field, in the (decompressed) file.
        offset: u64,
        /// The value, cut and escaped.
        text: String,
    },

    #[error("{file}, line {line}: a row begins that is longer than {limit} bytes")]
    RowTooLong { file: String, line: u64, limit: usize },

    /// All that follows would belong to one field.
    #[error("{file}, line {line}: a row begins in which a quote is opened and never closed")]
    UnclosedQuote { file: String, line: u64 },

    /// A file grew or shrank while it was read, or since it was cut into parts, and so what was read is no state that it ever had.
    #[error("{file} changed while it was read: {found} bytes instead of {expected}")]
    FileChanged { file: String, expected: u64, found: u64 },

    #[error("there is no column {index}: the files have {columns} columns")]
    NoSuchColumn { index: usize, columns: usize },

    #[error("there are no files to read")]
    NoFiles,

    #[error("this CSV dialect is not possible: {0}")]
    BadDialect(&'static str),
}

/// Text of a file for people: on one line, and not longer than they read.
pub(crate) fn shown(text: &[u8]) -> String {
    let head = &text[..text.len().min(4 * SHOWN)];
    let escaped: String = String::from_utf8_lossy(head).chars().flat_map(char::escape_debug).collect();
    match escaped.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &escaped[..end]),
        None => escaped,
    }
}

fn named(column: Option<&str>) -> String {
    column.map_or_else(|| "no such column".to_owned(), |name| format!("`{}`", shown(name.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shown_text_is_short_and_on_one_line() {
        assert_eq!(shown("é,\r\n\u{1b}[2J".as_bytes()), "é,\\r\\n\\u{1b}[2J");
        assert_eq!(shown(b"\xff"), "\u{fffd}");
        assert_eq!(shown(&[b'a'; 200]).chars().count(), 200);
        assert_eq!(shown(&vec![b'\n'; 1_000_000]).chars().count(), 201);
    }
}
