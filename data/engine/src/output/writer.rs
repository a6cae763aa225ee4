use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use cardoon_errors::{Code, Error};
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::csv;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::json;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::basic::{Compression, ZstdLevel};
use datafusion::parquet::file::properties::WriterProperties;

use super::OutputFormat;

/// Writes batches of rows to `W` in a format.
pub struct Writer<W: Write + Send> {
    inner: Inner<Noting<W>>,
    failure: Failure,
}

enum Inner<W: Write + Send> {
    Csv(Box<csv::Writer<W>>),
    Json(json::ArrayWriter<W>),
    JsonLines(json::LineDelimitedWriter<W>),
    Parquet(Box<ArrowWriter<W>>),
}

impl<W: Write + Send> Writer<W> {
    /// Errors with one of ours within, [`Code::NestedInCsv`], if a column cannot be written in the format.
    pub fn new(to: W, format: OutputFormat, schema: &SchemaRef) -> io::Result<Self> {
        if format == OutputFormat::Csv {
            all_flat(schema).map_err(io::Error::other)?;
        }
        let failure = Failure::default();
        let to = Noting { to, failure: failure.clone() };
        let explicit_nulls = json::WriterBuilder::new().with_explicit_nulls(true);
        let inner = match format {
            OutputFormat::Csv => Inner::Csv(Box::new(csv::Writer::new(to))),
            OutputFormat::Json => Inner::Json(explicit_nulls.build(to)),
            OutputFormat::JsonLines => Inner::JsonLines(explicit_nulls.build(to)),
            OutputFormat::Parquet => {
                let writer = ArrowWriter::try_new(to, schema.clone(), Some(properties()));
                Inner::Parquet(Box::new(writer.map_err(|error| failure.or(error))?))
            }
        };
        Ok(Self { inner, failure })
    }

    pub fn write(&mut self, batch: &RecordBatch) -> io::Result<()> {
        let written = match &mut self.inner {
            Inner::Csv(writer) => writer.write(batch),
            Inner::Json(writer) => writer.write(batch),
            Inner::JsonLines(writer) => writer.write(batch),
            Inner::Parquet(writer) => writer.write(batch).map_err(Into::into),
        };
        written.map_err(|error| self.failure.or(error))
    }

    /// Writes what a format has at its end. Without it the output is not whole.
    pub fn finish(self) -> io::Result<W> {
        let Self { inner, failure } = self;
        let finished = match inner {
            Inner::Csv(writer) => Ok(writer.into_inner()),
            Inner::Json(mut writer) => writer.finish().map(|()| writer.into_inner()),
            Inner::JsonLines(mut writer) => writer.finish().map(|()| writer.into_inner()),
            Inner::Parquet(writer) => writer.into_inner().map_err(Into::into),
        };
        finished.map(|noting| noting.to).map_err(|error| failure.or(error))
    }
}

/// The error of the file below: the writers of the formats pass on its text at best, and a full disk or a reader who has
/// gone away must be known as such.
#[derive(Clone, Default)]
struct Failure(Arc<Mutex<Option<io::Error>>>);

impl Failure {
    /// What the file said, else `error`.
    fn or(&self, error: impl std::error::Error + Send + Sync + 'static) -> io::Error {
        let noted = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        noted.unwrap_or_else(|| io::Error::other(error))
    }
}

/// Notes what goes wrong with `W`.
struct Noting<W> {
    to: W,
    failure: Failure,
}

impl<W> Noting<W> {
    fn note<T>(&self, result: io::Result<T>) -> io::Result<T> {
        result.map_err(|error| {
            let kind = error.kind();
            *self.failure.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            kind.into()
        })
    }
}

impl<W: Write> Write for Noting<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes);
        self.note(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.to.flush();
        self.note(flushed)
    }
}

fn all_flat(schema: &SchemaRef) -> Result<(), Error> {
    let Some(nested) = schema.fields().iter().find(|field| field.data_type().is_nested()) else {
        return Ok(());
    };
    let message = format!("column {:?} holds lists or objects, which CSV has no place for", nested.name());
    Err(Error::new(Code::NestedInCsv, message)
        .hint("write .parquet or .jsonl instead, or take values out of the column"))
}

fn properties() -> WriterProperties {
    let level = ZstdLevel::default();
    WriterProperties::builder().set_compression(Compression::ZSTD(level)).build()
}
