//! Batches of rows, as children are sent them and answer them.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray as _, RecordBatch, RecordBatchOptions};
use datafusion::arrow::compute::{cast, concat};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::arrow::ipc::reader::StreamReader;
use datafusion::arrow::ipc::writer::StreamWriter;
use datafusion::error::Result;

use crate::errors::{self, IntoEngine as _};

/// Bytes of the values of a batch.
pub(super) fn bytes(batch: &RecordBatch) -> usize {
    batch.columns().iter().map(bytes_of).sum()
}

/// A slice may have a small part of its buffers, and views share them.
fn bytes_of(array: &ArrayRef) -> usize {
    match array.data_type() {
        DataType::Utf8View => size_of_val(&**array.as_string_view().views()) + text_bytes(array),
        _ => array.to_data().get_slice_memory_size().unwrap_or_else(|_| array.get_array_memory_size()),
    }
}

/// The lower half of a view is how long the text is.
fn text_bytes(array: &ArrayRef) -> usize {
    array.as_string_view().views().iter().map(|view| *view as u32 as usize).sum()
}

/// A stream of Arrow with `columns` of the batches; all of them if nothing is said. Those are called `0`, `1` and so on.
pub(super) fn encoded(batches: &[RecordBatch], columns: Option<&[usize]>) -> Result<Vec<u8>> {
    let plain = |batch: &RecordBatch| -> Result<RecordBatch> {
        plain(&match columns {
            Some(columns) => numbered(&batch.project(columns)?)?,
            None => batch.clone(),
        })
    };
    let Some((first, rest)) = batches.split_first() else { return Ok(Vec::new()) };
    let first = plain(first)?;
    let mut writer = StreamWriter::try_new(Vec::new(), &first.schema())?;
    writer.write(&first)?;
    for batch in rest {
        writer.write(&plain(batch)?)?;
    }
    writer.finish()?;
    Ok(writer.into_inner()?)
}

fn numbered(batch: &RecordBatch) -> Result<RecordBatch> {
    let fields: Vec<Field> = batch
        .schema()
        .fields()
        .iter()
        .enumerate()
        .map(|(place, field)| Field::clone(field).with_name(place.to_string()))
        .collect();
    of(Arc::new(Schema::new(fields)), batch.columns().to_vec(), batch.num_rows())
}

/// Views would take all that they share with them.
fn plain(batch: &RecordBatch) -> Result<RecordBatch> {
    let columns = batch.columns().iter().map(|column| match column.data_type() {
        DataType::Utf8View => cast(column, &DataType::LargeUtf8),
        DataType::BinaryView => cast(column, &DataType::LargeBinary),
        _ => Ok(column.clone()),
    });
    let columns = columns.collect::<std::result::Result<Vec<_>, _>>()?;
    let schema = batch.schema();
    let fields: Vec<Field> = schema
        .fields()
        .iter()
        .zip(&columns)
        .map(|(field, column)| Field::new(field.name(), column.data_type().clone(), true))
        .collect();
    of(Arc::new(Schema::new(fields)), columns, batch.num_rows())
}

/// The rows of a stream of Arrow, which has the columns of `schema`.
pub(super) fn decoded(stream: &[u8], schema: &SchemaRef) -> Result<Vec<RecordBatch>> {
    let types = |schema: &Schema| -> Vec<DataType> {
        schema.fields().iter().map(|field| field.data_type().clone()).collect()
    };
    let reader = StreamReader::try_new(stream, None)?;
    if types(&reader.schema()) != types(schema) {
        return Err(errors::internal("a child answered with other columns").into_engine());
    }
    reader
        .map(|batch| {
            let batch = batch?;
            of(schema.clone(), batch.columns().to_vec(), batch.num_rows())
        })
        .collect()
}

/// `batches` with the only column of `made` as their last one.
pub(super) fn beside(
    batches: Vec<RecordBatch>,
    made: &[RecordBatch],
    schema: &SchemaRef,
) -> Result<Vec<RecordBatch>> {
    let columns: Vec<&dyn Array> = made.iter().map(|batch| batch.column(0).as_ref()).collect();
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    if columns.iter().map(|column| column.len()).sum::<usize>() != rows {
        return Err(errors::internal("a child answered with another number of rows").into_engine());
    }
    if rows == 0 {
        return Ok(Vec::new());
    }
    let column = concat(&columns)?;
    let mut at = 0;
    batches
        .into_iter()
        .map(|batch| {
            let own = column.slice(at, batch.num_rows());
            at += batch.num_rows();
            of(schema.clone(), [batch.columns(), &[own]].concat(), batch.num_rows())
        })
        .collect()
}

/// Slices of the batches, each no longer than others expect.
pub(super) fn short(batches: Vec<RecordBatch>, rows: usize) -> impl Iterator<Item = RecordBatch> {
    let rows = rows.max(1);
    batches.into_iter().flat_map(move |batch| {
        let count = batch.num_rows();
        (0..count).step_by(rows).map(move |at| batch.slice(at, rows.min(count - at)))
    })
}

pub(super) fn of(schema: SchemaRef, columns: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch> {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    Ok(RecordBatch::try_new_with_options(schema, columns, &options)?)
}
