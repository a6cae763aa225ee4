use std::sync::Arc;

use cardoon_csv::{BadRows, Dialect, Header, Kind, Options, Sample, Scan, Source, infer};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::memory::Memory;
use crate::reading::read;

const KINDS: [Kind; 7] =
    [Kind::Null, Kind::Boolean, Kind::Int64, Kind::Float64, Kind::Date, Kind::Timestamp, Kind::Text];

/// Reads a source whose kinds are guessed, as often as kinds must be widened, but not longer.
fn read_widening(source: &Arc<dyn Source>, mut header: Header, options: &Options) {
    for _ in 0..=3 * header.columns.len() {
        let sources = vec![Arc::clone(source)];
        let scan = Scan::new(sources, header.clone(), None, options.clone()).unwrap();
        let Err(cardoon_csv::Error::Disagrees { column, needed, .. }) = read(&scan, 1) else { return };
        let column = header.columns.iter_mut().find(|(name, _)| *name == column).unwrap();
        assert_ne!(column.1, needed);
        column.1 = needed;
    }
    panic!("kinds were widened without an end");
}

fn try_all(bytes: &[u8], block_bytes: usize) {
    let source = Memory::source("it.csv", bytes);
    for bad_rows in [BadRows::Fail, BadRows::Skip] {
        let options = Options { block_bytes, bad_rows, ..Options::default() };
        if let Ok(header) = infer(&source, &Dialect::default(), Sample { bytes: block_bytes }) {
            read_widening(&source, header, &options);
        }
        for kind in KINDS {
            let columns = ["a", "b"].map(|name| (name.to_owned(), kind)).to_vec();
            let dialect = Dialect { header: false, ..Dialect::default() };
            let options = Options { dialect, ..options.clone() };
            read_widening(&source, Header { columns }, &options);
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in vec(any::<u8>(), 0..400), block_bytes in 1..100_usize) {
        try_all(&bytes, block_bytes);
    }

    #[test]
    fn any_structure_is_read_or_refused(
        text in "[\",\n\r1a\\-:.T\u{feff}é]{0,300}",
        block_bytes in 1..100_usize,
    ) {
        try_all(text.as_bytes(), block_bytes);
    }
}
