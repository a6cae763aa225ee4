use std::sync::Arc;

use cardoon_csv::{
    BadRows, Dialect, Error, FileSource, Header, Kind, Options, Part, Progress, Scan, Source, parts,
};
use proptest::prelude::*;

use crate::memory::Memory;
use crate::reading::{Row, header, read};
use crate::table::tables;

fn cut(source: &Arc<dyn Source>, count: usize) -> Vec<Part> {
    parts(source, &Dialect::default(), count).unwrap().expect("it can be cut")
}

fn of_part(source: &Arc<dyn Source>, part: Part, header: &Header, options: &Options) -> Arc<Scan> {
    let sources = vec![(Arc::clone(source), Some(part))];
    Scan::of_parts(sources, header.clone(), None, options.clone()).unwrap()
}

/// The rows of all parts, each read by a scan of its own, as by a process of its own.
fn read_apart(
    source: &Arc<dyn Source>,
    count: usize,
    header: &Header,
    options: &Options,
) -> Result<(Vec<Row>, Progress), Error> {
    let (mut rows, mut progress) = (Vec::new(), Progress::default());
    for part in parts(source, &options.dialect, count)?.expect("it can be cut") {
        let scan = of_part(source, part, header, options);
        rows.extend(read(&scan, 1)?);
        let done = scan.progress();
        progress.bytes += done.bytes;
        progress.rows += done.rows;
        progress.bad_rows += done.bad_rows;
    }
    Ok((rows, progress))
}

fn read_whole(
    source: &Arc<dyn Source>,
    header: &Header,
    options: &Options,
) -> Result<(Vec<Row>, Progress), Error> {
    let scan = Scan::new(vec![Arc::clone(source)], header.clone(), None, options.clone())?;
    Ok((read(&scan, 1)?, scan.progress()))
}

/// Whether parts follow one another, from the begin of the text to its end, and tell their lines.
fn are_whole(parts: &[Part], text: &str) -> bool {
    let length = text.len() as u64;
    let line = |part: &Part| 1 + text[..part.start as usize].matches('\n').count() as u64;
    parts.first().is_some_and(|part| part.start == 0)
        && parts.last().is_some_and(|part| part.end == length)
        && parts.windows(2).all(|pair| pair[0].end == pair[1].start && pair[1].start < pair[1].end)
        && parts.iter().all(|part| part.length == length && part.line == line(part))
}

proptest! {
    #[test]
    fn the_rows_of_the_parts_are_those_of_the_file(
        table in tables(60),
        count in 0..100_usize,
        block_bytes in 1..300_usize,
        at_once in 1..500_usize,
    ) {
        let text = table.write();
        let source = Memory::in_pieces("it.csv", &text, at_once);
        let options = Options { block_bytes, ..Options::default() };
        prop_assert!(are_whole(&cut(&source, count), &text));
        let apart = read_apart(&source, count, &table.header(), &options).unwrap();
        prop_assert_eq!(apart, read_whole(&source, &table.header(), &options).unwrap());
    }

    #[test]
    fn any_text_is_read_in_parts_as_it_is_read_whole(
        head in prop::sample::select(vec!["", "\u{feff}", "\n\r\na,b\n", "\u{feff}\"a\",\"b\"\r\n"]),
        body in "[\",\n\ra]{0,200}[\",\n\ra]{0,200}",
        count in 0..60_usize,
        block_bytes in 1..100_usize,
    ) {
        let source = Memory::source("it.csv", format!("{head}{body}"));
        let has_header = head.contains('a');
        let dialect = Dialect { header: has_header, ..Dialect::default() };
        let options = Options { dialect, block_bytes, bad_rows: BadRows::Skip, ..Options::default() };
        let columns = header(&[("a", Kind::Text), ("b", Kind::Text)]);
        let whole = read_whole(&source, &columns, &options).map_err(|error| error.to_string());
        let apart = read_apart(&source, count, &columns, &options).map_err(|error| error.to_string());
        prop_assert_eq!(apart, whole);
    }

    #[test]
    fn parts_of_short_rows_are_balanced(
        lengths in prop::collection::vec(0..100_usize, 400..500),
        count in 1..20_usize,
    ) {
        let rows = lengths.iter().map(|length| format!("{},\"\n\"\n", "x".repeat(*length)));
        let text = format!("a,b\n{}", rows.collect::<String>());
        let parts = cut(&Memory::source("it.csv", &text), count);
        prop_assert_eq!(parts.len(), count);
        let average = text.len() / count;
        prop_assert!(parts.iter().all(|part| (part.end - part.start) as usize <= average + 200));
    }
}

#[test]
fn parts_may_be_shared_by_the_readers_of_a_scan() {
    let text = format!("a\n{}", "1\n\"2\"\n".repeat(1000));
    let [one, other] = ["1.csv", "2.csv"].map(|name| Memory::source(name, &text));
    let mut sources: Vec<_> = cut(&one, 7).into_iter().map(|part| (Arc::clone(&one), Some(part))).collect();
    sources.push((other, None));
    let scan = Scan::of_parts(sources, header(&[("a", Kind::Int64)]), None, Options::default()).unwrap();
    let rows = read(&scan, 3).unwrap();
    assert_eq!(rows.len(), 4000);
    assert_eq!(rows.iter().filter(|(source, _)| *source == 7).count(), 2000);
}

#[test]
fn only_a_file_begins_with_a_byte_order_mark() {
    let source = Memory::source("it.csv", "\u{feff}a\n\u{feff}1\n");
    let part = cut(&source, 2)[1];
    assert_eq!((part.start, part.line), (5, 2));
    let scan = of_part(&source, part, &header(&[("a", Kind::Text)]), &Options::default());
    assert_eq!(read(&scan, 1).unwrap(), [(0, vec![Some("\u{feff}1".to_owned())])]);
}

#[test]
fn errors_in_a_later_part_tell_where_in_the_file_they_are() {
    let good = "1,\"\n\"\r\n".repeat(100);
    let columns = header(&[("a", Kind::Int64), ("b", Kind::Text)]);
    let read_last = |row: &[u8]| {
        let text = [b"\xef\xbb\xbfa,b\r\n", good.as_bytes(), row, b"\n"].concat();
        let source = Memory::source("it.csv", text);
        // No other part is read.
        let options = Options { block_bytes: 16, ..Options::default() };
        let part = parts(&source, &options.dialect, 5)?.unwrap().pop().unwrap();
        assert!(part.start > 500);
        read(&of_part(&source, part, &columns, &options), 1)
    };
    let error = |row: &[u8]| read_last(row).unwrap_err().to_string();
    assert_eq!(error(b"1"), "it.csv, line 202: the row has 1 fields instead of 2: 1");
    assert_eq!(
        error(b"x,"),
        "it.csv, line 202: column a was taken for whole number, but `x` is text; it must be read as text"
    );
    let offset = 8 + good.len() + 2;
    assert_eq!(
        error(b"1,\xff"),
        format!("it.csv, line 202: column b is no UTF-8 at byte {offset} of the file: \u{fffd}")
    );
    assert_eq!(error(b"1,\"x"), "it.csv, line 202: a row begins in which a quote is opened and never closed");
}

#[test]
fn a_file_that_changed_since_it_was_cut_is_refused() {
    let text = format!("a\n{}", "1\n".repeat(1000));
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&file, &text).unwrap();
    let source: Arc<dyn Source> = Arc::new(FileSource::new(file.path()));
    let parts = cut(&source, 3);
    for changed in [format!("{text}2\n"), text[..1998].to_owned(), text[..2].to_owned()] {
        std::fs::write(&file, &changed).unwrap();
        for part in &parts {
            let scan = of_part(&source, *part, &header(&[("a", Kind::Int64)]), &Options::default());
            let error = read(&scan, 1).unwrap_err();
            let Error::FileChanged { expected: 2002, found, .. } = error else { panic!("{error}") };
            assert_eq!(found, changed.len() as u64);
        }
    }
}

#[test]
fn a_file_that_changes_while_a_part_is_read_is_refused() {
    let text = format!("a\n{}", "1\n".repeat(1000));
    for changed in [format!("{text}2\n"), text[..100].to_owned()] {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&file, &text).unwrap();
        let source: Arc<dyn Source> = Arc::new(FileSource::new(file.path()));
        let part = cut(&source, 2)[0];
        let options = Options { block_bytes: 50, ..Options::default() };
        let scan = of_part(&source, part, &header(&[("a", Kind::Int64)]), &options);
        let mut reader = scan.reader();
        assert!(reader.next().unwrap().is_some());
        std::fs::write(&file, &changed).unwrap();
        let found = std::iter::from_fn(|| reader.next().transpose()).find_map(Result::err).unwrap();
        assert!(matches!(found, Error::FileChanged { expected: 2002, .. }), "{found}");
    }
}

#[test]
fn a_source_without_length_or_middle_is_not_cut() {
    let unknown: Arc<dyn Source> = Arc::new(crate::errors::Endless(b"a\n1\n"));
    assert_eq!(parts(&unknown, &Dialect::default(), 1).unwrap(), None);
    let dialect = Dialect { quote: b',', ..Dialect::default() };
    assert!(matches!(parts(&unknown, &dialect, 1), Err(Error::BadDialect(_))));
    let gone: Arc<dyn Source> = Arc::new(FileSource::new("no/such.csv"));
    assert_eq!(parts(&gone, &Dialect::default(), 2).unwrap(), None);
}
