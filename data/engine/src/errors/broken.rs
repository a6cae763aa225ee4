//! Files that are not what they should be.

use std::error::Error as Cause;

use cardoon_errors::{Code, Error};
use datafusion::arrow::error::ArrowError;
use datafusion::error::DataFusionError;
use datafusion::parquet::errors::ParquetError;

use super::{IntoEngine as _, causes};

const HINT: &str = "write it anew, or leave it out of the pattern";

/// What `error` says of the `file` that was read; nothing if it has a code of its own or is no fault of the file.
pub(crate) fn broken(file: &str, error: &DataFusionError) -> Option<DataFusionError> {
    let is_told =
        causes(error).any(|cause| cause.is::<Error>() || unboxed::<object_store::Error>(cause).is_some());
    let fault = causes(error).find_map(fault);
    fault.filter(|_| !is_told).map(|fault| found(file, fault).into_engine())
}

/// The error of a file of no bytes that must have some.
pub(crate) fn empty(file: &str) -> Error {
    found(file, "it has 0 bytes".to_owned())
}

/// The error of a file that lacks a part.
pub(crate) fn cut(file: &str, footer: u64, bytes: u64) -> Error {
    found(file, format!("its end tells of a footer of {footer} bytes, and the file has {bytes}"))
}

/// The error of a line that is no JSON.
pub(crate) fn no_json(file: &str, line: usize, reason: impl Into<String>) -> Error {
    Error::new(Code::BrokenFile, format!("{file}, line {line}: this is no JSON")).checked(reason).hint(HINT)
}

fn found(file: &str, fault: String) -> Error {
    Error::new(Code::BrokenFile, format!("{file} is broken")).checked(fault).hint(HINT)
}

/// What a reader has found in a file.
fn fault(cause: &(dyn Cause + 'static)) -> Option<String> {
    let said = cause.to_string();
    let is_fault = match unboxed(cause) {
        Some(ArrowError::ParquetError(_) | ArrowError::JsonError(_) | ArrowError::ParseError(_)) => true,
        _ => unboxed::<ParquetError>(cause).is_some() || said.starts_with("Parquet error: "),
    };
    // A store that did not give the file: the reader has only its words.
    let is_of_store = said.contains("Object Store error");
    (is_fault && !is_of_store).then(|| said.lines().next().unwrap_or_default().to_owned())
}

/// The engine's errors have others in boxes, which are errors of their own.
fn unboxed<'a, E: Cause + 'static>(cause: &'a (dyn Cause + 'static)) -> Option<&'a E> {
    cause.downcast_ref::<E>().or_else(|| cause.downcast_ref::<Box<E>>().map(Box::as_ref))
}

#[cfg(test)]
mod tests {
    use super::super::coded;
    use super::*;

    #[test]
    fn only_faults_of_a_file_are_told_as_such() {
        let of = |error| coded(broken("a.parquet", &error).unwrap_or(error)).code();
        let page = || ParquetError::General("corrupt".into());
        assert_eq!(of(DataFusionError::ParquetError(Box::new(page()))), Code::BrokenFile);
        assert_eq!(of(ArrowError::from(page()).into()), Code::BrokenFile);
        assert_eq!(of(DataFusionError::ResourcesExhausted("1 GB".into())), Code::OutOfMemory);
        let away = Error::new(Code::StoreAway, "x");
        let within = ParquetError::External(Box::new(away.into_engine()));
        assert_eq!(of(DataFusionError::ParquetError(Box::new(within))), Code::StoreAway);
    }
}
