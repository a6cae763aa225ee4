//! Errors of an executor, which reach whoever asked as a text within other texts.

use std::fmt;

use cardoon_csv::Kind;
use cardoon_errors::{Code, Error};
use datafusion::arrow::error::ArrowError;
use datafusion::error::DataFusionError;
use serde::{Deserialize, Serialize};

use super::{Disagreement, IntoEngine as _, coded, disagreement, disk, not_shared};

/// What stands before and behind an error that is carried. Between them are hexadecimal digits, which nobody escapes.
const BEGIN: &str = "<cardoon-error ";
const END: char = '>';

/// What stands before and behind the text of an error that is displayed, and of one that is debugged.
type Frames = [(&'static str, &'static str); 2];

const OUT_OF_MEMORY: Frames = [("Resources exhausted: ", "\")"), ("ResourcesExhausted(\"", "\")")];
const NO_CAST: Frames = [("Cast error: ", "\")"), ("CastError(\"", "\")")];

/// Around the path of a file that the executor's machine does not have, if it is no CSV.
const NO_FILE: Frames = [("Object at location ", " not found"), ("NotFound { path: \"", "\", ")];

/// Says an error in a way that survives being quoted and escaped.
struct Carried(String);

#[derive(Serialize, Deserialize)]
struct Sent {
    code: String,
    message: String,
    checked: Vec<String>,
    hint: Option<String>,
    disagreement: Option<Widening>,
}

#[derive(Serialize, Deserialize)]
struct Widening {
    table: String,
    column: String,
    had: Kind,
    needed: Kind,
}

/// `error` for the way from an executor to whoever asked.
pub(crate) fn to_be_carried(error: DataFusionError) -> DataFusionError {
    let widening = disagreement(&error).map(|found| Widening {
        table: found.table.clone(),
        column: found.column.clone(),
        had: found.had,
        needed: found.needed,
    });
    DataFusionError::External(Box::new(Carried(framed(&coded(error), widening))))
}

/// The text of `error` for the same way, if it goes within another error.
pub(crate) fn carried_text(error: &Error) -> String {
    framed(error, None)
}

fn framed(error: &Error, disagreement: Option<Widening>) -> String {
    let sent = Sent {
        code: error.code().to_string(),
        message: error.message().to_owned(),
        checked: [error.findings().to_vec(), error.causes()].concat(),
        hint: error.next_step().map(str::to_owned),
        disagreement,
    };
    let text = serde_json::to_string(&sent).unwrap_or_default();
    let digits: String = text.bytes().flat_map(|byte| [byte >> 4, byte & 15]).filter_map(digit).collect();
    format!("{BEGIN}{digits}{END}")
}

/// The error that `said` carries. What executors say otherwise is told as it is.
pub fn carried(said: &str) -> DataFusionError {
    match sent(said) {
        Some(sent) => received(sent),
        None => said_otherwise(said),
    }
}

/// An error that has no code on its way, by what its text shows of it.
fn said_otherwise(said: &str) -> DataFusionError {
    if let Some(text) = within(said, OUT_OF_MEMORY) {
        return DataFusionError::ResourcesExhausted(text.to_owned());
    }
    if let Some(text) = within(said, NO_CAST) {
        return DataFusionError::ArrowError(Box::new(ArrowError::CastError(text.to_owned())), None);
    }
    if let Some(path) = within(said, NO_FILE) {
        return not_shared(path).into_engine();
    }
    disk::said_full(said).unwrap_or_else(|| DataFusionError::Execution(said.to_owned()))
}

/// What `said` has in one of `frames`.
fn within(said: &str, frames: Frames) -> Option<&str> {
    frames.into_iter().find_map(|(begin, end)| {
        let (_, rest) = said.split_once(begin)?;
        Some(rest.split_once(end).map_or(rest, |(text, _)| text))
    })
}

fn received(Sent { code, message, checked, hint, disagreement }: Sent) -> DataFusionError {
    let code = code.parse().unwrap_or(Code::QueryFailed);
    let error = checked.into_iter().fold(Error::new(code, message), Error::checked);
    let error = match hint {
        Some(hint) => error.hint(hint),
        None => error,
    };
    match disagreement {
        Some(Widening { table, column, had, needed }) => {
            DataFusionError::External(Box::new(Disagreement { table, column, had, needed, error }))
        }
        None => DataFusionError::External(Box::new(error)),
    }
}

fn sent(said: &str) -> Option<Sent> {
    let (_, rest) = said.split_once(BEGIN)?;
    let (digits, _) = rest.split_once(END)?;
    let digits: Option<Vec<u8>> = digits.bytes().map(value).collect();
    let bytes: Vec<u8> = digits?.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect();
    serde_json::from_slice(&bytes).ok()
}

fn digit(value: u8) -> Option<char> {
    char::from_digit(value.into(), 16)
}

fn value(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|value| value as u8)
}

impl fmt::Display for Carried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Carried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Carried {}

#[cfg(test)]
mod tests {
    use super::*;

    fn quoted(error: &DataFusionError) -> String {
        format!("Job 7 failed: Task failed: {:?}", format!("{error:?}"))
    }

    #[test]
    fn an_error_of_ours_arrives_as_it_was() {
        let error =
            Error::new(Code::BadRow, "line 3 of \"a.csv\" has 2 fields").checked("1,\u{1b}2").hint("look");
        let received = coded(carried(&quoted(&to_be_carried(error.into_engine()))));
        assert_eq!(received.code(), Code::BadRow);
        assert_eq!(received.message(), "line 3 of \"a.csv\" has 2 fields");
        assert_eq!(received.findings(), ["1,\u{1b}2"]);
        assert_eq!(received.next_step(), Some("look"));
    }

    #[test]
    fn a_column_can_still_be_widened() {
        let found = Disagreement {
            table: "logs".into(),
            column: "zip".into(),
            had: Kind::Int64,
            needed: Kind::Text,
            error: Error::new(Code::ValueDisagrees, "x"),
        };
        let received = carried(&quoted(&to_be_carried(DataFusionError::External(Box::new(found)))));
        let found = disagreement(&received).unwrap();
        assert_eq!((found.column.as_str(), found.needed), ("zip", Kind::Text));
    }

    #[test]
    fn what_is_no_error_of_ours_is_told_as_it_is() {
        for said in
            ["", "panic", "<cardoon-error >", "<cardoon-error 7>", "<cardoon-error zz>", "<cardoon-error 7b"]
        {
            assert_eq!(coded(carried(said)).code(), Code::QueryFailed, "{said}");
        }
        for said in
            ["Task failed: Resources exhausted: 1 GB", "Job 7: Shared(ResourcesExhausted(\"1 GB\")))))"]
        {
            let error = coded(carried(said));
            assert_eq!(
                (error.code(), error.findings()),
                (Code::OutOfMemory, &["1 GB".to_owned()][..]),
                "{said}"
            );
        }
        for said in [
            "General(\"Object at location /a b not found: No such\")))",
            "NotFound { path: \"/a b\", source: Os })",
        ] {
            let error = coded(carried(said));
            assert_eq!((error.code(), error.message()), (Code::NotShared, "an executor does not see /a b"));
        }
        let no_cast = carried("Job 7: External(ArrowError(CastError(\"Cannot cast 'x' to Int32\")))");
        assert_eq!(coded(no_cast).code(), Code::BadQuery);
        assert_eq!(coded(carried("io: No space left on device (28)")).code(), Code::SpillFull);
    }
}
