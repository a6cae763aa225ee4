//! Values as the types that a Rust task would choose for them, though Python sent them in types that JSON lacks.
//!
//! kombu writes such a value as an extension object. Where a Rust type asks for a text, a number or bytes and finds one
//! of these, it gets the plain value:
//!
//! | Python | Rust |
//! |---|---|
//! | `UUID` | `String`, with hyphens |
//! | `datetime`, `date`, `time` | `String`, ISO 8601 as sent; a `datetime` also an integer: milliseconds since 1970 |
//! | `Decimal` | `String`, or a number if that is asked for |
//! | `bytes` | `Vec<u8>`, `Bytes`, and `String` if they are UTF-8 |
//!
//! So the usual types for times, UUIDs and decimals, which read themselves from text, just work. A type that takes
//! whatever comes, such as `serde_json::Value`, gets the object as it was sent.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::value::{MapAccessDeserializer, MapDeserializer, SeqDeserializer};
use serde::de::{DeserializeOwned, Deserializer, Error as _, IntoDeserializer, Visitor};
use serde::{Deserialize, forward_to_deserialize_any};
use serde_json::value::RawValue;
use serde_json::{Error, Result};
use uuid::Uuid;

use crate::arguments::Entries;
use crate::json_text::string;
use crate::{Limits, nesting, wire_time};

const MARK: &[u8] = b"\"__type__\"";

/// Reads a value that a task was sent or has returned. The values of kombu's extension types (`datetime`, `date`,
/// `time`, `Decimal`, `UUID`, `bytes`) are read as the plain texts, numbers or bytes that `T` asks for; a `T` that
/// takes whatever comes gets their objects as they were sent.
pub fn from_json<T: DeserializeOwned>(json: &[u8]) -> Result<T> {
    let is_plain = !json.windows(MARK.len()).any(|part| part == MARK);
    if is_plain || nesting::depth(json) > Limits::default().max_depth {
        return serde_json::from_slice(json);
    }
    let value: &RawValue = serde_json::from_slice(json)?;
    T::deserialize(Value(value))
}

/// The text of a value inside which there may be extension objects.
struct Value<'a>(&'a RawValue);

/// What an extension object stands for.
enum Extension<'a> {
    DateTime(Cow<'a, str>),
    Decimal(Cow<'a, str>),
    Text(Cow<'a, str>),
    Bytes(Vec<u8>),
}

impl<'a> Value<'a> {
    fn extension(&self) -> Option<Extension<'a>> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Object<'a> {
            #[serde(borrow)]
            __type__: &'a RawValue,
            #[serde(borrow)]
            __value__: &'a RawValue,
        }
        if !self.0.get().starts_with('{') {
            return None;
        }
        let object: Object<'a> = serde_json::from_str(self.0.get()).ok()?;
        let text = || string(object.__value__);
        Some(match string(object.__type__)?.as_ref() {
            "datetime" => Extension::DateTime(text()?),
            "decimal" => Extension::Decimal(text()?),
            "date" | "time" => Extension::Text(text()?),
            "uuid" => Extension::Text(uuid(object.__value__)?.into()),
            "bytes" => Extension::Bytes(text()?.into_owned().into_bytes()),
            "base64" => Extension::Bytes(STANDARD.decode(text()?.as_bytes()).ok()?),
            _ => return None,
        })
    }

    fn plain(&self) -> serde_json::Deserializer<serde_json::de::StrRead<'a>> {
        serde_json::Deserializer::from_str(self.0.get())
    }

    fn starts_with(&self, first: char) -> bool {
        self.0.get().starts_with(first)
    }

    fn elements(&self) -> Result<Vec<Value<'a>>> {
        let elements: Vec<&RawValue> = serde_json::from_str(self.0.get())?;
        Ok(elements.into_iter().map(Value).collect())
    }

    fn members(&self) -> Result<Vec<(Cow<'a, str>, Value<'a>)>> {
        let Entries(members) = serde_json::from_str(self.0.get())?;
        Ok(members.into_iter().map(|(name, value)| (name, Value(value))).collect())
    }
}

fn uuid(value: &RawValue) -> Option<String> {
    #[derive(Deserialize)]
    struct Hex<'a> {
        #[serde(borrow)]
        hex: Cow<'a, str>,
    }
    let Hex { hex } = serde_json::from_str(value.get()).ok()?;
    Some(Uuid::try_parse(&hex).ok()?.to_string())
}

impl<'a> IntoDeserializer<'a, Error> for Value<'a> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// Numbers: milliseconds of a time, a decimal that is one, or what stands there.
macro_rules! numbers {
    ($($method:ident $visit:ident $number:ty;)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
            match self.extension() {
                Some(Extension::Decimal(text)) => match text.parse::<$number>() {
                    Ok(number) => visitor.$visit(number),
                    Err(_) => Err(Error::custom(format!("the decimal {text} is no {}", stringify!($number)))),
                },
                Some(Extension::DateTime(text)) => match wire_time::read(&text) {
                    Ok(time) => visitor.visit_i64(time.0),
                    Err(error) => Err(Error::custom(error)),
                },
                _ => self.plain().$method(visitor),
            }
        })*
    };
}

impl<'de> Deserializer<'de> for Value<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.plain().deserialize_any(visitor)
    }

    numbers! {
        deserialize_i8 visit_i8 i8;
        deserialize_i16 visit_i16 i16;
        deserialize_i32 visit_i32 i32;
        deserialize_i64 visit_i64 i64;
        deserialize_i128 visit_i128 i128;
        deserialize_u8 visit_u8 u8;
        deserialize_u16 visit_u16 u16;
        deserialize_u32 visit_u32 u32;
        deserialize_u64 visit_u64 u64;
        deserialize_u128 visit_u128 u128;
        deserialize_f32 visit_f32 f32;
        deserialize_f64 visit_f64 f64;
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.extension() {
            Some(Extension::DateTime(text) | Extension::Decimal(text) | Extension::Text(text)) => {
                visitor.visit_string(text.into_owned())
            }
            Some(Extension::Bytes(bytes)) => match String::from_utf8(bytes) {
                Ok(text) => visitor.visit_string(text),
                Err(error) => visitor.visit_byte_buf(error.into_bytes()),
            },
            None => self.plain().deserialize_str(visitor),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.extension() {
            Some(Extension::Bytes(bytes)) => visitor.visit_byte_buf(bytes),
            _ => self.plain().deserialize_bytes(visitor),
        }
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if let Some(Extension::Bytes(bytes)) = self.extension() {
            return visitor.visit_seq(SeqDeserializer::new(bytes.into_iter()));
        }
        if !self.starts_with('[') {
            return self.plain().deserialize_seq(visitor);
        }
        let mut elements = SeqDeserializer::new(self.elements()?.into_iter());
        let value = visitor.visit_seq(&mut elements)?;
        elements.end().map(|()| value)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(self, _: &str, _: usize, visitor: V) -> Result<V::Value> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if !self.starts_with('{') {
            return self.plain().deserialize_map(visitor);
        }
        let mut members = MapDeserializer::new(self.members()?.into_iter());
        let value = visitor.visit_map(&mut members)?;
        members.end().map(|()| value)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        if self.starts_with('[') { self.deserialize_seq(visitor) } else { self.deserialize_map(visitor) }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        if !self.starts_with('{') {
            return self.plain().deserialize_enum(name, variants, visitor);
        }
        let members = MapDeserializer::new(self.members()?.into_iter());
        visitor.visit_enum(MapAccessDeserializer::new(members))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.0.get() == "null" { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    /// `serde_json` asks for its own raw values by this way too; these stay as they are.
    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value> {
        if name.starts_with("$serde_json::private::") {
            return self.plain().deserialize_newtype_struct(name, visitor);
        }
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! { bool char unit unit_struct identifier ignored_any }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    use bytes::Bytes;
    use cardoon_core::Timestamp;

    const UUID: &str = r#"{"__type__": "uuid", "__value__": {"hex": "12345678123456781234567812345678"}}"#;
    const TIME: &str = r#"{"__type__": "datetime", "__value__": "2030-01-02T03:04:05.000006+00:00"}"#;
    const DECIMAL: &str = r#"{"__type__": "decimal", "__value__": "1.50"}"#;
    const BYTES: &str = r#"{"__type__": "base64", "__value__": "/wA="}"#;

    fn read<T: DeserializeOwned>(json: &str) -> T {
        from_json(json.as_bytes()).unwrap()
    }

    fn problem<T: DeserializeOwned + std::fmt::Debug>(json: &str) -> String {
        from_json::<T>(json.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn a_text_is_what_python_would_show() {
        assert_eq!(read::<String>(UUID), "12345678-1234-5678-1234-567812345678");
        assert_eq!(read::<Uuid>(UUID).as_u128(), 0x1234_5678_1234_5678_1234_5678_1234_5678);
        assert_eq!(read::<String>(TIME), "2030-01-02T03:04:05.000006+00:00");
        assert_eq!(read::<String>(DECIMAL), "1.50");
        assert_eq!(read::<String>(r#"{"__type__": "date", "__value__": "2030-01-02"}"#), "2030-01-02");
        assert_eq!(read::<String>(r#"{"__type__": "bytes", "__value__": "hi"}"#), "hi");
        assert!(problem::<String>(BYTES).contains("byte array"));
    }

    #[test]
    fn times_and_decimals_are_numbers_where_numbers_are_asked_for() {
        assert_eq!(read::<Timestamp>(TIME), Timestamp(1_893_553_445_000));
        assert!((read::<f64>(DECIMAL) - 1.5).abs() < 1e-9);
        assert_eq!(problem::<i64>(DECIMAL), "the decimal 1.50 is no i64");
        assert!(problem::<i64>(UUID).contains("expected i64"));
    }

    #[test]
    fn bytes_are_bytes_in_every_type_for_them() {
        assert_eq!(read::<Vec<u8>>(BYTES), [0xff, 0]);
        assert_eq!(read::<[u8; 2]>(BYTES), [0xff, 0]);
        assert_eq!(read::<Bytes>(BYTES), &[0xff, 0][..]);
        assert_eq!(read::<Bytes>(r#"{"__type__": "bytes", "__value__": "hi"}"#), "hi");
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Order {
        id: String,
        lines: Vec<(String, Option<Timestamp>)>,
        kind: Kind,
        rest: BTreeMap<String, Vec<u8>>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    enum Kind {
        Plain,
        At(Timestamp),
    }

    #[test]
    fn they_are_found_inside_of_other_values() {
        let order = |kind: &str| {
            let lines = format!("[[{DECIMAL}, {TIME}], [\"x\", null]]");
            read::<Order>(&format!(
                r#"{{"id": {UUID}, "lines": {lines}, "kind": {kind}, "rest": {{"a": {BYTES}}}}}"#
            ))
        };
        let at = Timestamp(1_893_553_445_000);
        let lines = vec![("1.50".into(), Some(at)), ("x".into(), None)];
        let rest = BTreeMap::from([("a".into(), vec![0xff, 0])]);
        let id = "12345678-1234-5678-1234-567812345678".into();
        assert_eq!(order(&format!(r#"{{"At": {TIME}}}"#)), Order { id, lines, kind: Kind::At(at), rest });
        assert_eq!(order("\"Plain\"").kind, Kind::Plain);
    }

    #[test]
    fn a_type_that_takes_whatever_comes_gets_the_object() {
        let plain: serde_json::Value = serde_json::from_str(UUID).unwrap();
        assert_eq!(read::<serde_json::Value>(UUID), plain);
        assert_eq!(read::<Vec<serde_json::Value>>(&format!("[{UUID}]")), [plain]);
        assert_eq!(read::<Vec<Box<RawValue>>>(&format!("[{UUID}]"))[0].get(), UUID);
        assert_eq!(read::<BTreeMap<String, String>>(DECIMAL)["__value__"], "1.50");
    }

    #[test]
    fn what_is_no_extension_object_is_read_as_usual() {
        for (json, found) in [
            (r#"{"__type__": "set", "__value__": "x"}"#, "invalid type: map"),
            (r#"{"__type__": "uuid", "__value__": "x"}"#, "invalid type: map"),
            (r#"{"__type__": "date", "__value__": "x", "more": 1}"#, "invalid type: map"),
            (r#"["__type__"]"#, "invalid type: sequence"),
        ] {
            assert!(problem::<String>(json).starts_with(found), "{}", problem::<String>(json));
        }
        assert_eq!(read::<(String, i64)>(r#"["\"__type__\"", 7]"#), ("\"__type__\"".into(), 7));
        assert!(problem::<(i64,)>(r#"["__type__", 1]"#).contains("invalid type"));
        assert!(problem::<Vec<i64>>(r#"[1, "__type__""#).contains("EOF"));
    }
}
