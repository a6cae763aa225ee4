//! JSON values as Python prints them, for Celery's headers `argsrepr` and `kwargsrepr`, which people read.

use std::fmt::Write as _;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Celery's own limit.
const MAX_CHARS: usize = 1024;

/// A JSON array as a tuple. An error if `json` is anything else.
pub(crate) fn tuple(json: &[u8]) -> serde_json::Result<String> {
    shown(json, Shape::Tuple)
}

/// A JSON object as a dict. An error if `json` is anything else.
pub(crate) fn dict(json: &[u8]) -> serde_json::Result<String> {
    shown(json, Shape::Dict)
}

/// Any JSON value.
pub(crate) fn value(json: &[u8]) -> serde_json::Result<String> {
    shown(json, Shape::Any)
}

fn shown(json: &[u8], shape: Shape) -> serde_json::Result<String> {
    let mut text = String::with_capacity(json.len().min(MAX_CHARS) + 16);
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    Repr { text: &mut text, shape }.deserialize(&mut deserializer)?;
    deserializer.end()?;
    cut(&mut text);
    Ok(text)
}

fn cut(text: &mut String) {
    if let Some((end, _)) = text.char_indices().nth(MAX_CHARS) {
        text.truncate(end);
        text.push_str("...");
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Shape {
    Tuple,
    Dict,
    Any,
}

/// Appends a value to `text`. What comes after enough text is read and dropped, so that it is checked all the same.
struct Repr<'t> {
    text: &'t mut String,
    shape: Shape,
}

impl Repr<'_> {
    fn is_full(&self) -> bool {
        self.text.len() > 4 * MAX_CHARS
    }

    fn inner(&mut self) -> Repr<'_> {
        Repr { text: self.text, shape: Shape::Any }
    }

    fn put<E: Error>(self, shown: impl std::fmt::Display) -> Result<(), E> {
        if self.shape != Shape::Any {
            return Err(E::custom(format!("invalid type: {shown}, expected {}", self.expected())));
        }
        write!(self.text, "{shown}").map_err(E::custom)
    }

    fn expected(&self) -> &'static str {
        match self.shape {
            Shape::Tuple => "an array",
            Shape::Dict => "an object",
            Shape::Any => "a value",
        }
    }
}

impl<'de> DeserializeSeed<'de> for Repr<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Repr<'_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.expected())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.put("None")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.put(if value { "True" } else { "False" })
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.put(value)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.put(value)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        self.put(format_args!("{value:?}"))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        if self.shape != Shape::Any {
            return self.put("a string");
        }
        quote(self.text, value);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        let (open, close) = match self.shape {
            Shape::Dict => return self.put("an array"),
            Shape::Tuple => ('(', ')'),
            Shape::Any => ('[', ']'),
        };
        self.text.push(open);
        let mut count = 0usize;
        while !self.is_full() {
            let separator = self.text.len();
            self.text.push_str(if count == 0 { "" } else { ", " });
            if items.next_element_seed(self.inner())?.is_none() {
                self.text.truncate(separator);
                break;
            }
            count += 1;
        }
        while items.next_element::<IgnoredAny>()?.is_some() {}
        self.text.push_str(if count == 1 && self.shape == Shape::Tuple { "," } else { "" });
        self.text.push(close);
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut entries: A) -> Result<(), A::Error> {
        if self.shape == Shape::Tuple {
            return self.put("an object");
        }
        self.text.push('{');
        let mut count = 0usize;
        while !self.is_full() {
            let separator = self.text.len();
            self.text.push_str(if count == 0 { "" } else { ", " });
            if entries.next_key_seed(self.inner())?.is_none() {
                self.text.truncate(separator);
                break;
            }
            self.text.push_str(": ");
            entries.next_value_seed(self.inner())?;
            count += 1;
        }
        while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        self.text.push('}');
        Ok(())
    }
}

/// Single quotes, unless only double ones save escaping.
fn quote(text: &mut String, value: &str) {
    let mark = if value.contains('\'') && !value.contains('"') { '"' } else { '\'' };
    text.push(mark);
    for char in value.chars().take(MAX_CHARS + 1) {
        match char {
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '\\' => text.push_str("\\\\"),
            _ if char == mark => text.extend(['\\', char]),
            _ if char.is_ascii_control() => _ = write!(text, "\\x{:02x}", char as u32),
            _ => text.push(char),
        }
    }
    text.push(mark);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_look_as_python_prints_them() {
        assert_eq!(tuple(b"[]").unwrap(), "()");
        assert_eq!(tuple(b"[2]").unwrap(), "(2,)");
        assert_eq!(
            tuple(br#"[2, -3, 1.5, null, [true], {"a": false}]"#).unwrap(),
            "(2, -3, 1.5, None, [True], {'a': False})"
        );
        assert_eq!(dict(br#"{"who": "J\u00f6rg", "n": []}"#).unwrap(), "{'who': 'Jörg', 'n': []}");
        assert_eq!(tuple(br#"["it's", "\"'", "a\nb\\"]"#).unwrap(), r#"("it's", '"\'', 'a\nb\\')"#);
    }

    #[test]
    fn long_values_are_cut_and_still_checked() {
        let long = format!("[{}]", vec!["12345"; 100_000].join(","));
        let shown = tuple(long.as_bytes()).unwrap();
        assert!(shown.starts_with("(12345, 12345") && shown.ends_with("..."));
        assert_eq!(shown.chars().count(), MAX_CHARS + 3);
        assert!(tuple(format!("[{}, oops]", vec!["12345"; 100_000].join(",")).as_bytes()).is_err());
        let text = serde_json::to_vec(&["ü".repeat(5000)]).unwrap();
        assert_eq!(tuple(&text).unwrap().chars().count(), MAX_CHARS + 3);
    }

    #[test]
    fn only_the_right_container_is_accepted() {
        assert!(tuple(b"{}").is_err());
        assert!(dict(b"[]").is_err());
        assert!(tuple(b"7").is_err());
        assert!(tuple(b"[] []").is_err());
    }
}
