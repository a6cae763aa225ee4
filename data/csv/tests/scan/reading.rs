use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::types::{Date32Type, Float64Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array as _, ArrayRef};
use arrow_schema::DataType;
use cardoon_csv::{Batch, Error, Header, Kind, Options, Reader, Scan};

/// A row's values as text, nothing for a null, after the position of its file.
pub(crate) type Row = (usize, Vec<Option<String>>);

pub(crate) fn header(columns: &[(&str, Kind)]) -> Header {
    Header { columns: columns.iter().map(|(name, kind)| ((*name).to_owned(), *kind)).collect() }
}

/// All rows of one file.
pub(crate) fn read_text(
    text: impl AsRef<[u8]>,
    columns: &[(&str, Kind)],
    options: Options,
) -> Result<Vec<Vec<Option<String>>>, Error> {
    let source = crate::memory::Memory::source("it.csv", text);
    let scan = Scan::new(vec![source], header(columns), None, options)?;
    Ok(read(&scan, 1)?.into_iter().map(|(_, row)| row).collect())
}

/// All rows, as each of the threads found them.
pub(crate) fn read(scan: &Arc<Scan>, threads: usize) -> Result<Vec<Row>, Error> {
    let parts: Result<Vec<Vec<Row>>, Error> = std::thread::scope(|scope| {
        let readers: Vec<_> = (0..threads).map(|_| scope.spawn(|| drain(scan.reader()))).collect();
        readers.into_iter().map(|reader| reader.join().unwrap()).collect()
    });
    Ok(parts?.concat())
}

fn drain(mut reader: Reader) -> Result<Vec<Row>, Error> {
    let mut rows = Vec::new();
    while let Some(batch) = reader.next()? {
        assert!(batch.rows > 0 && batch.bytes >= batch.rows as u64);
        rows.extend(rows_of(&batch));
    }
    assert!(reader.next()?.is_none());
    Ok(rows)
}

fn rows_of(batch: &Batch) -> Vec<Row> {
    assert!(batch.columns.iter().all(|column| column.len() == batch.rows));
    let row = |row| batch.columns.iter().map(|column| value(column, row)).collect();
    (0..batch.rows).map(|index| (batch.source, row(index))).collect()
}

fn value(column: &ArrayRef, row: usize) -> Option<String> {
    column.is_valid(row).then(|| match column.data_type() {
        DataType::Boolean => column.as_boolean().value(row).to_string(),
        DataType::Int64 => column.as_primitive::<Int64Type>().value(row).to_string(),
        DataType::Float64 => format!("{:?}", column.as_primitive::<Float64Type>().value(row)),
        DataType::Date32 => column.as_primitive::<Date32Type>().value(row).to_string(),
        DataType::Timestamp(..) => column.as_primitive::<TimestampMicrosecondType>().value(row).to_string(),
        _ => column.as_string::<i32>().value(row).to_owned(),
    })
}
