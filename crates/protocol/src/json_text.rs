//! JSON written by hand into one buffer, and strings read without a copy where that is possible.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

/// Appends `text` as a JSON string.
pub(crate) fn put_string(json: &mut Vec<u8>, text: &str) {
    if text.bytes().any(|byte| byte < 0x20 || byte == b'"' || byte == b'\\') {
        // Writing a string to memory has no way to fail.
        _ = serde_json::to_writer(json, text);
        return;
    }
    json.push(b'"');
    json.extend_from_slice(text.as_bytes());
    json.push(b'"');
}

/// Appends `number` in decimal digits.
pub(crate) fn put_number(json: &mut Vec<u8>, number: impl Into<i128>) {
    // As above.
    _ = serde_json::to_writer(json, &number.into());
}

/// Appends an object of these members.
pub(crate) fn put_object(json: &mut Vec<u8>, members: &[(impl AsRef<str>, &RawValue)]) {
    json.push(b'{');
    for (index, (name, value)) in members.iter().enumerate() {
        if index > 0 {
            json.push(b',');
        }
        put_string(json, name.as_ref());
        json.push(b':');
        json.extend_from_slice(value.get().as_bytes());
    }
    json.push(b'}');
}

/// The string that `value` is, if it is one.
pub(crate) fn string(value: &RawValue) -> Option<Cow<'_, str>> {
    let inner = value.get().strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') {
        return serde_json::from_str(value.get()).ok().map(Cow::Owned);
    }
    Some(Cow::Borrowed(inner))
}

/// The whole number that `value` is, if it is one.
pub(crate) fn number(value: &RawValue) -> Option<i64> {
    value.get().parse().ok()
}

/// Why `json` is none, in words: Python writes numbers that JSON lacks (RFC 8259, section 6).
pub(crate) fn problem(json: &[u8], error: &serde_json::Error) -> String {
    let line = json.split(|byte| *byte == b'\n').nth(error.line().saturating_sub(1)).unwrap_or_default();
    let here = &line[error.column().saturating_sub(1).min(line.len())..];
    if [&b"NaN"[..], b"Infinity", b"nfinity"].iter().any(|word| here.starts_with(word)) {
        return format!("NaN and Infinity are no JSON, at column {}", error.column());
    }
    error.to_string()
}

/// A string that borrows from the input unless it has escapes.
#[derive(Deserialize)]
pub(crate) struct Text<'a>(#[serde(borrow)] pub(crate) Cow<'a, str>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_json_lacks_are_named() {
        for json in ["[NaN]", "{\"a\":\n [1, -Infinity]}", "[Infinity]"] {
            let error = serde_json::from_str::<&RawValue>(json).unwrap_err();
            assert!(
                problem(json.as_bytes(), &error).starts_with("NaN and Infinity are no JSON"),
                "{json}: {error}"
            );
        }
        let error = serde_json::from_str::<&RawValue>("[nan]").unwrap_err();
        assert_eq!(problem(b"[nan]", &error), error.to_string());
    }

    #[test]
    fn strings_are_read_as_they_were_written() {
        for text in ["", "plain", "quote\" \\ back", "中文\n\u{0}\u{7f}"] {
            let mut json = Vec::new();
            put_string(&mut json, text);
            let raw: &RawValue = serde_json::from_slice(&json).unwrap();
            assert_eq!(string(raw).unwrap(), text);
        }
    }

    #[test]
    fn what_is_no_string_or_no_whole_number_is_none() {
        let raw = |json| serde_json::from_str::<&RawValue>(json).unwrap();
        assert_eq!(string(raw("7")), None);
        assert_eq!(number(raw("7")), Some(7));
        assert_eq!(number(raw("7.5")), None);
    }
}
