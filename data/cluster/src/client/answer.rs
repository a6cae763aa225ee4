use std::fs::File;
use std::io::{self, BufReader, BufWriter, Seek as _};
use std::path::{Path, PathBuf};

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::ipc::reader::StreamReader;
use datafusion::arrow::ipc::writer::StreamWriter;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures_util::stream;

/// Bytes of rows that are kept in memory; more go through a file without a name.
const IN_MEMORY: usize = 64 << 20;

/// All rows of a query, until the last one has arrived.
pub(super) struct Answer {
    schema: SchemaRef,
    first: Vec<RecordBatch>,
    bytes: usize,
    /// Where the rest waits; by default in the system's folder for temporary files.
    spill_folder: Option<PathBuf>,
    rest: Option<StreamWriter<BufWriter<File>>>,
}

impl Answer {
    pub(super) fn new(schema: SchemaRef, spill_folder: Option<&Path>) -> Self {
        let spill_folder = spill_folder.map(Path::to_owned);
        Self { schema, first: Vec::new(), bytes: 0, spill_folder, rest: None }
    }

    pub(super) fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        // Executors may tell less of a column than the plan does, as that it has no nulls.
        let batch = RecordBatch::try_new_with_options(
            self.schema.clone(),
            batch.columns().to_vec(),
            &datafusion::arrow::array::RecordBatchOptions::new().with_row_count(Some(batch.num_rows())),
        )?;
        self.bytes += batch.get_array_memory_size();
        if self.bytes <= IN_MEMORY {
            self.first.push(batch);
            return Ok(());
        }
        Ok(self.rest()?.write(&batch)?)
    }

    fn rest(&mut self) -> Result<&mut StreamWriter<BufWriter<File>>> {
        let rest = match self.rest.take() {
            Some(rest) => rest,
            None => StreamWriter::try_new(BufWriter::new(self.file()?), &self.schema)?,
        };
        Ok(self.rest.insert(rest))
    }

    /// It has no name, so that nothing stays if this process is killed.
    fn file(&self) -> io::Result<File> {
        let Some(folder) = &self.spill_folder else { return tempfile::tempfile() };
        tempfile::tempfile_in(folder)
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", folder.display())))
    }

    pub(super) fn into_stream(self) -> Result<SendableRecordBatchStream> {
        let rest = self.rest.map(read_again).transpose()?;
        let rest = rest.into_iter().flatten().map(|batch| batch.map_err(DataFusionError::from));
        let batches = self.first.into_iter().map(Ok).chain(rest);
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema, stream::iter(batches))))
    }
}

fn read_again(written: StreamWriter<BufWriter<File>>) -> Result<StreamReader<BufReader<File>>> {
    let buffer = written.into_inner()?;
    let mut file = buffer.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.rewind()?;
    Ok(StreamReader::try_new(BufReader::new(file), None)?)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::array::{ArrayRef, Int64Array};
    use futures_util::TryStreamExt as _;

    use super::*;

    fn batch(begin: i64) -> RecordBatch {
        let column = Arc::new(Int64Array::from_iter_values(begin..begin + 1_000_000)) as ArrayRef;
        RecordBatch::try_from_iter([("a", column)]).unwrap()
    }

    #[tokio::test]
    async fn what_does_not_fit_into_the_memory_comes_back_in_its_order() {
        let folder = tempfile::tempdir().unwrap();
        let mut answer = Answer::new(batch(0).schema(), Some(folder.path()));
        for begin in 0..12 {
            answer.add(&batch(begin)).unwrap();
        }
        assert!(answer.rest.is_some() && !answer.first.is_empty());
        assert_eq!(folder.path().read_dir().unwrap().count(), 0, "the file has a name");
        let batches: Vec<_> = answer.into_stream().unwrap().try_collect().await.unwrap();
        assert_eq!(batches, (0..12).map(batch).collect::<Vec<_>>());
    }

    #[test]
    fn the_rest_waits_in_the_folder_for_what_is_spilled() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("missing");
        let mut answer = Answer::new(batch(0).schema(), Some(&missing));
        let error = (0..12).find_map(|begin| answer.add(&batch(begin)).err()).unwrap();
        assert!(error.to_string().contains(&missing.display().to_string()), "{error}");
    }
}
