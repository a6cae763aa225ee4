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

/// A string that borrows from the input unless it has escapes.
#[derive(Deserialize)]
pub(crate) struct Text<'a>(#[serde(borrow)] pub(crate) Cow<'a, str>);

#[cfg(test)]
mod tests {
    use super::*;

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
