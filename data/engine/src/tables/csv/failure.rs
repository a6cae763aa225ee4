//! What the scan says, with a code.

use cardoon_csv::{Error as Scan, Source};
use cardoon_errors::{Code, Error};
use datafusion::error::DataFusionError;
use tokio::task::JoinError;

use super::files::Layout;
use crate::errors::{Disagreement, IntoEngine as _};

/// The error of a scan of files. One that a wider kind would have held can be got past, unless the kind was declared.
pub(super) fn of_scan(layout: &Layout, error: Scan) -> DataFusionError {
    match &error {
        Scan::Disagrees { column, declared, needed, .. } if !layout.declared.contains(column) => {
            let (table, column, had, needed) = (layout.name.clone(), column.clone(), *declared, *needed);
            DataFusionError::External(Box::new(Disagreement {
                table,
                column,
                had,
                needed,
                error: coded(error),
            }))
        }
        _ => coded(error).into_engine(),
    }
}

pub(super) fn coded(error: Scan) -> Error {
    if let Some(ours) = of_store(&error) {
        return ours;
    }
    let code = code(&error);
    let message = error.to_string();
    match error {
        Scan::Io { source, .. } => Error::new(code, message).source(source),
        Scan::Disagrees { column, .. } => {
            Error::new(code, message).hint(format!("say what the column holds: --type {column}=text"))
        }
        Scan::BadRow { .. } => {
            Error::new(code, message).hint("--bad-rows skip leaves such rows out and counts them")
        }
        Scan::UnclosedQuote { .. } => Error::new(code, message)
            .hint("look at that line of the file; a quote within a field is written twice"),
        Scan::InvalidUtf8 { .. } => {
            Error::new(code, message).hint("convert the file: iconv -f GBK -t UTF-8 in.csv > out.csv")
        }
        _ => Error::new(code, message),
    }
}

/// The error of a file that is not read by a scan.
pub(super) fn of_io(file: &str, error: std::io::Error) -> Error {
    coded(Scan::Io { file: file.to_owned(), source: error })
}

/// The error of a thread that looked at a file and has broken off.
pub(super) fn stopped(source: &dyn Source, error: JoinError) -> Scan {
    Scan::Io { file: source.name().to_owned(), source: std::io::Error::other(error) }
}

/// What was said by an object store, in our words already.
fn of_store(error: &Scan) -> Option<Error> {
    let Scan::Io { source, .. } = error else { return None };
    source.get_ref()?.downcast_ref::<Error>().cloned()
}

fn code(error: &Scan) -> Code {
    match error {
        Scan::Io { source, .. } if source.kind() == std::io::ErrorKind::NotFound => Code::NoFiles,
        Scan::Io { .. } => Code::FileUnreadable,
        Scan::EmptyFile { .. } => Code::EmptyFile,
        Scan::HeadersDiffer { .. } => Code::ColumnsDiffer,
        Scan::InvalidUtf8 { .. } => Code::NotUtf8,
        Scan::FileChanged { .. } => Code::FileChanged,
        Scan::NoFiles => Code::NoFiles,
        Scan::BadDialect(_) => Code::BadInput,
        Scan::Disagrees { .. } => Code::ValueDisagrees,
        Scan::CarriageReturns { .. }
        | Scan::BadRow { .. }
        | Scan::RowTooLong { .. }
        | Scan::UnclosedQuote { .. } => Code::BadRow,
        _ => Code::Internal,
    }
}
