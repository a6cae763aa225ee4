use std::sync::Arc;

use cardoon_csv::Reader;
use datafusion::arrow::array::{RecordBatch, RecordBatchOptions};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::error::Result;

use super::failure;
use super::files::Layout;

/// What a reader of the scan reads, as the engine wants it.
pub(super) struct Rows {
    layout: Arc<Layout>,
    schema: SchemaRef,
    reader: Reader,
    has_ended: bool,
}

impl Rows {
    pub(super) fn new(layout: Arc<Layout>, schema: SchemaRef, reader: Reader) -> Self {
        Self { layout, schema, reader, has_ended: false }
    }

    fn read(&mut self) -> Result<Option<RecordBatch>> {
        let read = self.reader.next().map_err(|error| failure::of_scan(&self.layout, error))?;
        let Some(read) = read else { return Ok(None) };
        let options = RecordBatchOptions::new().with_row_count(Some(read.rows));
        Ok(Some(RecordBatch::try_new_with_options(self.schema.clone(), read.columns, &options)?))
    }
}

impl Iterator for Rows {
    type Item = Result<RecordBatch>;

    /// After an error there is nothing.
    fn next(&mut self) -> Option<Self::Item> {
        if self.has_ended {
            return None;
        }
        let batch = self.read().transpose();
        self.has_ended = !matches!(batch, Some(Ok(_)));
        batch
    }
}
