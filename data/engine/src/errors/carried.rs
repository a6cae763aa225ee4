//! Errors of an executor, which reach whoever asked as a text within other texts.

use std::fmt;

use cardoon_csv::Kind;
use cardoon_errors::{Code, Error};
use datafusion::error::DataFusionError;
use serde::{Deserialize, Serialize};

use super::{Disagreement, coded, disagreement};

/// What stands before and behind an error that is carried. Between them are hexadecimal digits, which nobody escapes.
const BEGIN: &str = "<cardoon-error ";
const END: char = '>';

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
    let error = coded(error);
    let sent = Sent {
        code: error.code().to_string(),
        message: error.message().to_owned(),
        checked: [error.findings().to_vec(), error.causes()].concat(),
        hint: error.next_step().map(str::to_owned),
        disagreement: widening,
    };
    let text = serde_json::to_string(&sent).unwrap_or_default();
    let digits: String = text.bytes().flat_map(|byte| [byte >> 4, byte & 15]).filter_map(digit).collect();
    DataFusionError::External(Box::new(Carried(format!("{BEGIN}{digits}{END}"))))
}

/// The error that `said` carries. What executors say otherwise is told as it is.
pub fn carried(said: &str) -> DataFusionError {
    match sent(said) {
        Some(sent) => received(sent),
        None if said.contains("Resources exhausted") => DataFusionError::ResourcesExhausted(said.to_owned()),
        None if said.contains("No space left on device") => {
            DataFusionError::IoError(std::io::ErrorKind::StorageFull.into())
        }
        None => DataFusionError::Execution(said.to_owned()),
    }
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
    use crate::errors::IntoEngine as _;

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
        assert_eq!(coded(carried("Resources exhausted: 1 GB")).code(), Code::OutOfMemory);
        assert_eq!(coded(carried("io: No space left on device (28)")).code(), Code::SpillFull);
    }
}
