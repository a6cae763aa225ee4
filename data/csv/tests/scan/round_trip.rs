use std::sync::Arc;

use cardoon_csv::{Options, Sample, Scan, Source, infer, merge};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::subsequence;

use crate::memory::Memory;
use crate::reading::{Row, read};
use crate::table::{Table, kind, of_kinds, tables};

/// Files of the same columns, and the columns to read in their order.
fn files() -> impl Strategy<Value = (Vec<Table>, Vec<usize>)> {
    vec(kind(), 1..5).prop_flat_map(|kinds| {
        let columns: Vec<usize> = (0..kinds.len()).collect();
        let projection = subsequence(columns, 0..=kinds.len()).prop_shuffle();
        (vec(of_kinds(kinds, 40), 1..4), projection)
    })
}

fn expected(tables: &[Table], projection: &[usize]) -> Vec<Row> {
    let project =
        |values: Vec<Option<String>>| projection.iter().map(|column| values[*column].clone()).collect();
    let of_file = |(file, table): (usize, &Table)| {
        table.values().map(move |values| (file, project(values))).collect::<Vec<Row>>()
    };
    tables.iter().enumerate().flat_map(of_file).collect()
}

fn source(file: usize, table: &Table, at_once: usize) -> Arc<dyn Source> {
    Memory::in_pieces(&format!("{file}.csv"), table.write(), at_once)
}

proptest! {
    #[test]
    fn what_was_written_is_read(
        (tables, projection) in files(),
        block_bytes in 1..300_usize,
        batch_rows in 1..20_usize,
        at_once in 1..500_usize,
        threads in 1..5_usize,
    ) {
        let sources = tables.iter().enumerate().map(|(file, table)| source(file, table, at_once)).collect();
        let options = Options { block_bytes, batch_rows, ..Options::default() };
        let scan = Scan::new(sources, tables[0].header(), Some(projection.clone()), options).unwrap();
        let (mut found, mut expected) = (read(&scan, threads).unwrap(), expected(&tables, &projection));
        if threads > 1 {
            found.sort();
            expected.sort();
        }
        prop_assert_eq!(&found, &expected);
        let bytes: usize = tables.iter().map(|table| table.write().trim_start_matches('\u{feff}').len()).sum();
        let progress = scan.progress();
        prop_assert_eq!((progress.rows, progress.bad_rows), (expected.len() as u64, 0));
        // The line end that a last row lacks is counted too.
        prop_assert!((bytes..=bytes + tables.len()).contains(&(progress.bytes as usize)));
    }

    #[test]
    fn kinds_from_samples_of_everything_disagree_with_nothing(table in tables(40), threads in 1..3_usize) {
        let source = source(0, &table, usize::MAX);
        let header = infer(&source, &Options::default().dialect, Sample::default()).unwrap();
        let header = merge([("0.csv", header)]).unwrap();
        let names = |header: &cardoon_csv::Header| {
            header.columns.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>()
        };
        prop_assert_eq!(names(&header), names(&table.header()));
        let scan = Scan::new(vec![source], header, None, Options::default()).unwrap();
        prop_assert_eq!(read(&scan, threads).unwrap().len(), table.rows.len());
    }
}
