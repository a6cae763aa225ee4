//! Values of the command line that need more than their type.

use std::time::Duration;

use bytes::Bytes;
use cardoon_core::{QueueName, TaskId, Timestamp};
use cardoon_errors::{Code, Error, Result};

use crate::output::cut;

/// Longest part of a wrong name that an error repeats.
const NAME: usize = 80;

pub(crate) fn task_id(text: &str) -> Result<TaskId> {
    TaskId::new(text).map_err(|reason| bad_name("task id", text, &reason))
}

pub(crate) fn queue_name(text: &str) -> Result<QueueName> {
    QueueName::new(text).map_err(|reason| bad_name("queue name", text, &reason))
}

/// A JSON array, as it was written.
pub(crate) fn positional(text: &str) -> Result<Bytes> {
    checked_json(text, "a JSON list", "--args '[2, 3]'", serde_json::Value::is_array)
}

/// A JSON object, as it was written.
pub(crate) fn named(text: &str) -> Result<Bytes> {
    checked_json(text, "a JSON object", "--kwargs '{\"x\": 2}'", serde_json::Value::is_object)
}

/// A point in time in RFC 3339.
pub(crate) fn timestamp(text: &str) -> Result<Timestamp, String> {
    let time: jiff::Timestamp =
        text.parse().map_err(|error| format!("{error}; write it as 2030-01-31T12:00:00Z"))?;
    Ok(Timestamp(time.as_millisecond()))
}

/// A length of time with its unit, for clap.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    cardoon_settings::parse_duration(text)
}

fn checked_json(
    text: &str,
    expected: &str,
    example: &str,
    fits: fn(&serde_json::Value) -> bool,
) -> Result<Bytes> {
    let option = example.split(' ').next().unwrap_or_default();
    let wrong = |finding: String| {
        Error::new(Code::BadInput, format!("{option} is not {expected}"))
            .checked(finding)
            .hint(format!("quote it for the shell: {example}"))
    };
    let value = serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
    if !fits(&value) {
        return Err(wrong(format!("it is {}", kind(&value))));
    }
    Ok(Bytes::copy_from_slice(text.as_bytes()))
}

fn bad_name(what: &str, text: &str, reason: &cardoon_core::IdError) -> Error {
    Error::new(Code::BadName, format!("`{}` cannot be a {what}: {reason}", cut(text, NAME)))
}

fn kind(value: &serde_json::Value) -> &'static str {
    match value {
        serde_json::Value::Null => "null",
        serde_json::Value::Bool(_) => "a boolean",
        serde_json::Value::Number(_) => "a number",
        serde_json::Value::String(_) => "a text",
        serde_json::Value::Array(_) => "a list",
        serde_json::Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_keep_their_writing() {
        assert_eq!(positional("[1.0, 10000000000000000000001]").unwrap(), "[1.0, 10000000000000000000001]");
        assert_eq!(named("{}").unwrap(), "{}");
    }

    #[test]
    fn a_json_of_the_wrong_shape_says_what_it_is() {
        let error = named("[1]").unwrap_err();
        assert_eq!(error.code(), Code::BadInput);
        assert_eq!(error.findings(), ["it is a list"]);
        assert!(error.next_step().unwrap().contains("--kwargs '{"), "{:?}", error.next_step());
    }

    #[test]
    fn times_are_points_with_a_zone() {
        assert_eq!(timestamp("1970-01-01T00:00:01Z"), Ok(Timestamp(1000)));
        assert!(timestamp("1970-01-01 00:00").is_err());
    }
}
