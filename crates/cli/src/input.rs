//! Values of the command line that need more than their type.

use std::time::Duration;

use bytes::Bytes;
pub(crate) use cardoon_admin::input::{queue_name, task_id, timestamp};
use cardoon_errors::{Code, Error, Result};

/// A JSON array, as it was written.
pub(crate) fn positional(text: &str) -> Result<Bytes> {
    checked_json(text, "a JSON list", "--args '[2, 3]'", serde_json::Value::is_array)
}

/// A JSON object, as it was written.
pub(crate) fn named(text: &str) -> Result<Bytes> {
    checked_json(text, "a JSON object", "--kwargs '{\"x\": 2}'", serde_json::Value::is_object)
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
}
