use std::io::{self, Read as _};
use std::sync::Arc;

use cardoon_csv::{BadRows, Dialect, Error, Input, Kind, Options, Progress, Scan, Source};

use crate::memory::Memory;
use crate::reading::{header, read, read_text};

fn error(text: impl AsRef<[u8]>, columns: &[(&str, Kind)]) -> String {
    // Small blocks, so that lines are counted across them.
    let options = Options { block_bytes: 16, ..Options::default() };
    read_text(text, columns, options).unwrap_err().to_string()
}

#[test]
fn a_value_that_disagrees_tells_where_it_is_and_what_is_needed() {
    let text = "a,b\n1,\"x\ny\"\n\n2,z\n\"3.5\",z\n";
    let columns = [("a", Kind::Int64), ("b", Kind::Text)];
    assert_eq!(
        error(text, &columns),
        "it.csv, line 6: column a was taken for whole number, but `3.5` is number; it must be read as number"
    );
    let Err(Error::Disagrees { declared, found, needed, .. }) =
        read_text("a\n1\n2026-01-01\n", &[("a", Kind::Int64)], Options::default())
    else {
        panic!("it should disagree");
    };
    assert_eq!((declared, found, needed), (Kind::Int64, Kind::Date, Kind::Text));
}

#[test]
fn a_row_with_too_many_or_too_few_fields_is_shown() {
    let columns = [("a", Kind::Int64), ("b", Kind::Int64)];
    assert_eq!(
        error("a,b\r\n1,2\r\n3\r\n", &columns),
        "it.csv, line 3: the row has 1 fields instead of 2: 3"
    );
    assert_eq!(error("a,b\n1,2,3\n", &columns), "it.csv, line 2: the row has 3 fields instead of 2: 1,2,3");
}

#[test]
fn bad_rows_are_found_whatever_is_projected() {
    for projection in [vec![], vec![0]] {
        let source = Memory::source("it.csv", "a,b\n1,2\n3\n4,5,6\n7,8\n");
        let columns = header(&[("a", Kind::Int64), ("b", Kind::Int64)]);
        let scan = |options| {
            Scan::new(vec![Arc::clone(&source)], columns.clone(), Some(projection.clone()), options)
        };
        assert!(matches!(read(&scan(Options::default()).unwrap(), 1), Err(Error::BadRow { line: 3, .. })));
        let lenient = scan(Options { bad_rows: BadRows::Skip, ..Options::default() }).unwrap();
        assert_eq!(read(&lenient, 1).unwrap().len(), 2);
        assert_eq!(lenient.progress(), Progress { bytes: 20, rows: 2, bad_rows: 2 });
    }
}

#[test]
fn text_that_is_no_utf8_matters_where_it_is_read() {
    let text = b"a,b\n1,x\n2,\"\xc3\"\n".as_slice();
    let columns = [("a", Kind::Int64), ("b", Kind::Text)];
    assert_eq!(
        error(text, &columns),
        "it.csv, line 3: column b is no UTF-8 at byte 10 of the file: \u{fffd}"
    );
    let scan =
        Scan::new(vec![Memory::source("it.csv", text)], header(&columns), Some(vec![0]), Options::default());
    assert_eq!(read(&scan.unwrap(), 1).unwrap().len(), 2);
    // Two halves of a character do not make a whole one.
    let halves = b"a\nx\xc3\n\xa9x\n".as_slice();
    assert!(error(halves, &[("a", Kind::Text)]).contains("line 2"));
}

#[test]
fn a_quote_that_is_never_closed_is_named_by_the_row_in_which_it_opens() {
    let columns = [("a", Kind::Text), ("b", Kind::Text)];
    let text = format!("a,b\n1,\"x\ny\"\n2,\"z{}", "\n3,4".repeat(100));
    assert_eq!(
        error(text, &columns),
        "it.csv, line 4: a row begins in which a quote is opened and never closed"
    );
}

#[test]
fn other_columns_than_expected_are_refused() {
    let columns = [("a", Kind::Text), ("c", Kind::Text)];
    assert_eq!(error("a,b\n", &columns), "it.csv and the expected columns differ in column 2: `b` and `c`");
    assert!(matches!(read_text("", &columns, Options::default()), Err(Error::EmptyFile { .. })));
}

#[test]
fn what_cannot_be_read_at_all_is_refused_at_once() {
    let columns = header(&[("a", Kind::Text)]);
    let scan = |projection, options| Scan::new(Vec::new(), columns.clone(), projection, options).err();
    let no_such = scan(Some(vec![0, 1]), Options::default());
    assert!(matches!(no_such, Some(Error::NoSuchColumn { index: 1, columns: 1 })));
    for (delimiter, quote) in [(b'"', b'"'), (b'\n', b'"'), (b',', b'\r'), (0xff, b'"')] {
        let dialect = Dialect { delimiter, quote, ..Dialect::default() };
        assert!(matches!(scan(None, Options { dialect, ..Options::default() }), Some(Error::BadDialect(_))));
    }
}

/// A source without an end.
pub(crate) struct Endless(pub(crate) &'static [u8]);

impl Source for Endless {
    fn name(&self) -> &'static str {
        "endless.csv"
    }

    fn len(&self) -> Option<u64> {
        None
    }

    fn open(&self) -> io::Result<Input> {
        Ok(Box::new(self.0.chain(io::repeat(b'x'))))
    }
}

#[test]
fn a_row_may_not_be_arbitrarily_long() {
    let read_from = |text: &'static str| {
        let source: Arc<dyn Source> = Arc::new(Endless(text.as_bytes()));
        let scan = Scan::new(vec![source], header(&[("a", Kind::Text)]), None, Options::default());
        read(&scan.unwrap(), 1).unwrap_err().to_string()
    };
    let too_long = "endless.csv, line 3: a row begins that is longer than 67108864 bytes";
    assert_eq!(read_from("a\n1\n"), too_long);
    let unclosed = "endless.csv, line 3: a row begins in which a quote is opened and never closed";
    assert_eq!(read_from("a\n1\n\""), unclosed);
}
