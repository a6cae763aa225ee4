//! Data on standard output: rows of a query, and text.

use std::io::{self, BufWriter, ErrorKind, IsTerminal as _, Write};

use cardoon_engine::{OutputFormat, Rows, Writer, of_writer};
use cardoon_errors::text::clean;
use cardoon_errors::{Code, Error, Result};
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::util::pretty::pretty_format_batches;

use crate::talk;

/// Rows that a table for people has, at most.
const SHOWN: usize = 1000;

/// The form of a query's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Form {
    /// For people; the first 1000 rows
    Table,
    /// One array of objects
    Json,
    /// One object a line
    Jsonl,
    Csv,
    Parquet,
}

/// Writes all rows to standard output. A reader who has gone away is no error.
pub(crate) async fn print(rows: &mut Rows, form: Form) -> Result<()> {
    let format = match form {
        Form::Table => return table(rows).await,
        Form::Json => OutputFormat::Json,
        Form::Jsonl => OutputFormat::JsonLines,
        Form::Csv => OutputFormat::Csv,
        Form::Parquet if io::stdout().is_terminal() => {
            return Err(Error::new(Code::BadInput, "Parquet is nothing to show on a terminal")
                .hint("write it to a file with --out rows.parquet"));
        }
        Form::Parquet => OutputFormat::Parquet,
    };
    stream(rows, format).await
}

async fn stream(rows: &mut Rows, format: OutputFormat) -> Result<()> {
    let stdout = BufWriter::new(io::stdout());
    let mut writer = match Writer::new(stdout, format, rows.schema()) {
        Ok(writer) => writer,
        Err(error) => return closed(error),
    };
    while let Some(batch) = rows.next().await? {
        if let Err(error) = writer.write(&batch) {
            return closed(error);
        }
    }
    writer.finish().and_then(|mut stdout| stdout.flush()).or_else(closed)
}

async fn table(rows: &mut Rows) -> Result<()> {
    let mut shown: Vec<RecordBatch> = vec![RecordBatch::new_empty(rows.schema().clone())];
    let mut left = SHOWN;
    while let Some(batch) = rows.next().await? {
        let part = batch.slice(0, batch.num_rows().min(left));
        left -= part.num_rows();
        let cut = part.num_rows() < batch.num_rows();
        shown.push(part);
        if cut {
            talk::say(
                format!("the first {SHOWN} rows; -o csv writes all"),
                format!("只显示前 {SHOWN} 行；要全部行请用 -o csv"),
            );
            break;
        }
    }
    let table = pretty_format_batches(&shown)
        .map_err(|error| Error::new(Code::Internal, "the rows cannot be shown").source(error))?;
    // What files hold may be orders to the terminal.
    text(&table.to_string().lines().map(clean).collect::<Vec<_>>().join("\n"))
}

/// Writes lines that are data.
pub(crate) fn text(lines: &str) -> Result<()> {
    writeln!(io::stdout().lock(), "{}", lines.trim_end()).or_else(closed)
}

fn closed(error: io::Error) -> Result<()> {
    if error.kind() == ErrorKind::BrokenPipe {
        return Ok(());
    }
    if let Some(ours) = of_writer(&error) {
        return Err(ours);
    }
    Err(Error::new(Code::OutputFailed, "standard output cannot be written").source(error))
}
