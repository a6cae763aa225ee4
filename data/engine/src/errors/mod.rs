//! What DataFusion says, in our words and with a code.

mod broken;
mod carried;
mod disk;
mod lost;

use std::fmt;

use cardoon_csv::Kind;
use cardoon_errors::{Code, Error};
use datafusion::arrow::error::ArrowError;
use datafusion::common::SchemaError;
use datafusion::error::DataFusionError;

pub(crate) use broken::{broken, cut, empty, no_json};
pub use carried::carried;
pub(crate) use carried::{carried_text, to_be_carried};
pub(crate) use disk::is_full;
pub use lost::{lost, was_lost};

/// A value that its column's kind has no room for, found while a query ran.
#[derive(Debug)]
pub(crate) struct Disagreement {
    /// The files, as the query names them.
    pub(crate) table: String,
    pub(crate) column: String,
    /// In what kind it was read.
    pub(crate) had: Kind,
    pub(crate) needed: Kind,
    pub(crate) error: Error,
}

impl fmt::Display for Disagreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for Disagreement {}

/// An error of ours on its way through the engine.
pub(crate) trait IntoEngine {
    fn into_engine(self) -> DataFusionError;
}

impl IntoEngine for Error {
    fn into_engine(self) -> DataFusionError {
        DataFusionError::External(Box::new(self))
    }
}

/// The disagreement that ended a query.
pub(crate) fn disagreement(error: &DataFusionError) -> Option<&Disagreement> {
    causes(error).find_map(|cause| cause.downcast_ref())
}

pub(crate) fn coded(error: DataFusionError) -> Error {
    if let Some(disagreement) = disagreement(&error) {
        return disagreement.error.clone();
    }
    if let Some(ours) = causes(&error).find_map(|cause| cause.downcast_ref::<Error>()) {
        return ours.clone();
    }
    if causes(&error).any(disk::is_caused_by_full) {
        return disk::spill_full();
    }
    let cause =
        causes(&error).find_map(|cause| cause.downcast_ref::<DataFusionError>().and_then(of_the_engine));
    cause.unwrap_or_else(|| Error::new(Code::QueryFailed, "the query failed").source(error))
}

/// Whether there was too little memory. Joins that sort both sides, and sorts that take little at a time, need less.
pub(crate) fn is_short_of_memory(error: &DataFusionError) -> bool {
    causes(error).any(|cause| {
        matches!(cause.downcast_ref(), Some(DataFusionError::ResourcesExhausted(text)) if !text.contains("disk"))
    })
}

/// What a single error of DataFusion means, if it is one of those that a user can do something about.
fn of_the_engine(error: &DataFusionError) -> Option<Error> {
    match error {
        DataFusionError::SchemaError(schema, _) => Some(of_schema(schema)),
        DataFusionError::Plan(text) if text.starts_with("table '") => {
            Some(not_understood(error).hint("a file stands between single quotes: select * from 'logs.csv'"))
        }
        DataFusionError::SQL(_, _) | DataFusionError::Plan(_) | DataFusionError::NotImplemented(_) => {
            Some(not_understood(error))
        }
        DataFusionError::ArrowError(arrow, _) if matches!(**arrow, ArrowError::CastError(_)) => Some(
            Error::new(Code::BadQuery, "a value of the query does not fit the column that it meets")
                .checked(first_line(error))
                .hint("if the column should hold it, say so: --type COLUMN=text"),
        ),
        DataFusionError::ResourcesExhausted(text) if text.contains("disk") => {
            Some(disk::spill_full().checked(text.clone()))
        }
        DataFusionError::ResourcesExhausted(text) => Some(
            Error::new(Code::OutOfMemory, "the query needs more memory than it may use")
                .checked(text.lines().next().unwrap_or_default().to_owned())
                .hint("allow more with --memory, or use fewer threads"),
        ),
        _ => None,
    }
}

fn not_understood(error: &DataFusionError) -> Error {
    Error::new(Code::BadQuery, "the query cannot be understood").checked(first_line(error))
}

fn of_schema(error: &SchemaError) -> Error {
    match error {
        SchemaError::FieldNotFound { field, valid_fields } => {
            let known: Vec<&str> = valid_fields.iter().map(|field| field.name.as_str()).collect();
            no_such_column(&field.name, &known)
        }
        other => Error::new(Code::BadQuery, "the query cannot be understood").checked(other.to_string()),
    }
}

pub(crate) fn no_such_column(name: &str, known: &[&str]) -> Error {
    let error = Error::new(Code::NoSuchColumn, format!("there is no column {name:?}"))
        .checked(format!("the columns are {}", known.join(", ")));
    match nearest(name, known) {
        Some(nearest) => error.hint(format!("did you mean {nearest:?}?")),
        None => error,
    }
}

/// The error of a file that is not there on the machine of the executor that should read it.
pub(crate) fn not_shared(path: &str) -> Error {
    Error::new(Code::NotShared, format!("an executor does not see {path}"))
        .hint("executors must find files under the same path: put them on a shared folder")
}

pub(crate) fn wrong_arguments(function: &str) -> Error {
    Error::new(Code::BadQuery, format!("{function} does not take so many arguments"))
}

pub(crate) fn no_function_here() -> Error {
    Error::new(Code::BadQuery, "a function of Python cannot stand here")
        .hint("make a column of its values first")
}

pub(crate) fn too_long(limit: usize) -> Error {
    Error::new(Code::BadQuery, format!("a query has at most {} KiB", limit >> 10))
        .hint("put long lists of values into a file and join with it")
}

pub(crate) fn internal(what: &str) -> Error {
    Error::new(Code::Internal, what)
}

/// The name that is most like `name`, if one is much like it.
pub(crate) fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let like = |other: &str| strsim::jaro_winkler(&name.to_lowercase(), &other.to_lowercase());
    let best = known.iter().copied().max_by(|left, right| like(left).total_cmp(&like(right)))?;
    (like(best) >= 0.75).then_some(best)
}

fn first_line(error: &DataFusionError) -> String {
    error.strip_backtrace().lines().next().unwrap_or_default().to_owned()
}

/// An error and all that it was caused by.
fn causes(error: &DataFusionError) -> impl Iterator<Item = &(dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error as &(dyn std::error::Error + 'static)), |error| error.source())
}
