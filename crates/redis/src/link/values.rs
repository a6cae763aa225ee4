//! Reading answers.

use bytes::Bytes;
use cardoon_errors::Result;
use redis::Value;

use crate::failure::nonsense;

/// The items of a list; `what` was asked.
pub(crate) fn items(value: Value, what: &str) -> Result<Vec<Value>> {
    match value {
        Value::Array(items) | Value::Set(items) => Ok(items),
        Value::Nil => Ok(Vec::new()),
        Value::Map(pairs) => Ok(pairs.into_iter().flat_map(|(key, value)| [key, value]).collect()),
        _ => Err(nonsense(what)),
    }
}

pub(crate) fn int(value: &Value, what: &str) -> Result<i64> {
    match value {
        Value::Int(number) => Ok(*number),
        Value::Boolean(yes) => Ok(i64::from(*yes)),
        Value::Double(number) => Ok(*number as i64),
        Value::BulkString(bytes) => number(&String::from_utf8_lossy(bytes)).ok_or_else(|| nonsense(what)),
        Value::SimpleString(text) => number(text).ok_or_else(|| nonsense(what)),
        _ => Err(nonsense(what)),
    }
}

fn number(text: &str) -> Option<i64> {
    text.parse().ok().or_else(|| text.parse::<f64>().ok().map(|number| number as i64))
}

/// The bytes of a text; `None` if there is none.
pub(crate) fn bytes(value: Value) -> Option<Bytes> {
    match value {
        Value::BulkString(bytes) => Some(bytes.into()),
        Value::Int(number) => Some(number.to_string().into()),
        Value::Double(number) => Some(number.to_string().into()),
        Value::Okay => Some(Bytes::from_static(b"OK")),
        Value::SimpleString(text) | Value::VerbatimString { text, .. } => Some(text.into_bytes().into()),
        _ => None,
    }
}

pub(crate) fn text(value: Value, what: &str) -> Result<String> {
    let bytes = bytes(value).ok_or_else(|| nonsense(what))?;
    String::from_utf8(bytes.into()).map_err(|_| nonsense(what))
}
