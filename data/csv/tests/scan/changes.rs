use std::io::Write as _;
use std::sync::Arc;

use cardoon_csv::{Error, FileSource, Kind, Options, Scan, Source};

use crate::reading::header;

#[test]
fn a_file_that_grows_while_it_is_read_is_refused() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    write!(file, "a\n{}", "1\n".repeat(1000)).unwrap();
    let source: Arc<dyn Source> = Arc::new(FileSource::new(file.path()));
    let options = Options { block_bytes: 100, ..Options::default() };
    let scan = Scan::new(vec![source], header(&[("a", Kind::Int64)]), None, options).unwrap();
    let mut reader = scan.reader();
    assert!(reader.next().unwrap().is_some());
    writeln!(file, "2").unwrap();
    let error = loop {
        match reader.next() {
            Ok(Some(_)) => {}
            Ok(None) => panic!("the change was not seen"),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, Error::FileChanged { expected: 2002, found: 2004, .. }), "{error}");
    assert!(reader.next().unwrap().is_none(), "an error ends the reader");
}

#[test]
fn a_file_that_is_gone_is_named() {
    let source: Arc<dyn Source> = Arc::new(FileSource::new("no/such.csv"));
    let scan = Scan::new(vec![source], header(&[("a", Kind::Int64)]), None, Options::default()).unwrap();
    assert_eq!(scan.reader().next().unwrap_err().to_string(), "cannot read no/such.csv");
}
