use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyByteArray, PyByteArrayMethods, PyBytes, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple,
};

use super::Types;

/// Deeper values are refused: no worker would read them.
const MOST_DEPTH: usize = 120;

/// Why a value is no JSON, and where.
#[derive(Debug)]
pub(crate) struct NotJson {
    /// The way from the outermost value, innermost step first.
    path: Vec<String>,
    what: String,
}

impl NotJson {
    fn new(what: impl Into<String>) -> Self {
        Self { path: Vec::new(), what: what.into() }
    }

    fn at(mut self, step: impl Into<String>) -> Self {
        self.path.push(step.into());
        self
    }

    /// In words, with `root` for the outermost value.
    pub(crate) fn describe(&self, root: &str) -> String {
        let path: String = self.path.iter().rev().map(String::as_str).collect();
        format!("{root}{path} {}", self.what)
    }
}

impl From<PyErr> for NotJson {
    fn from(error: PyErr) -> Self {
        Self::new(format!("cannot be read: {error}"))
    }
}

/// Appends `value` as JSON. Beside JSON's own types: tuples as lists, enumerations as their values, and kombu's extension
/// objects for `datetime`, `date`, `time`, `Decimal`, `UUID` and bytes. An object with `__json__` is written as what that
/// returns.
pub(crate) fn write(json: &mut Vec<u8>, value: &Bound<'_, PyAny>) -> Result<(), NotJson> {
    put(json, value, 0)
}

fn put(json: &mut Vec<u8>, value: &Bound<'_, PyAny>, depth: usize) -> Result<(), NotJson> {
    if depth > MOST_DEPTH {
        return Err(NotJson::new(format!("is nested deeper than {MOST_DEPTH}")));
    }
    if let Ok(text) = value.cast::<PyString>() {
        put_text(json, text)
    } else if value.is_none() {
        json.extend_from_slice(b"null");
        Ok(())
    } else if let Ok(truth) = value.cast::<PyBool>() {
        json.extend_from_slice(if truth.is_true() { b"true" } else { b"false" });
        Ok(())
    } else if let Ok(number) = value.cast::<PyInt>() {
        put_int(json, number)
    } else if let Ok(number) = value.cast::<PyFloat>() {
        put_float(json, number.value())
    } else if let Ok(dict) = value.cast::<PyDict>() {
        put_dict(json, dict, depth)
    } else if let Ok(list) = value.cast::<PyList>() {
        put_items(json, list.iter(), depth)
    } else if let Ok(tuple) = value.cast::<PyTuple>() {
        put_items(json, tuple.iter(), depth)
    } else {
        put_other(json, value, depth)
    }
}

fn put_text(json: &mut Vec<u8>, text: &Bound<'_, PyString>) -> Result<(), NotJson> {
    let text =
        text.to_cow().map_err(|_| NotJson::new("holds a lone surrogate, which UTF-8 has no bytes for"))?;
    put_str(json, &text);
    Ok(())
}

fn put_str(json: &mut Vec<u8>, text: &str) {
    // A text always can be written to memory.
    let _ = serde_json::to_writer(json, text);
}

fn put_int(json: &mut Vec<u8>, number: &Bound<'_, PyInt>) -> Result<(), NotJson> {
    if let Ok(number) = number.extract::<i64>() {
        let _ = serde_json::to_writer(json, &number);
    } else {
        // `int.__repr__`, since a subclass may show itself in another way.
        let shown = number.py().get_type::<PyInt>().call_method1("__repr__", (number,))?;
        json.extend_from_slice(shown.str()?.to_cow()?.as_bytes());
    }
    Ok(())
}

fn put_float(json: &mut Vec<u8>, number: f64) -> Result<(), NotJson> {
    if !number.is_finite() {
        return Err(NotJson::new(format!("is {number}, which JSON has no number for")));
    }
    let _ = serde_json::to_writer(json, &number);
    Ok(())
}

fn put_items<'py>(
    json: &mut Vec<u8>,
    items: impl Iterator<Item = Bound<'py, PyAny>>,
    depth: usize,
) -> Result<(), NotJson> {
    json.push(b'[');
    for (place, item) in items.enumerate() {
        if place > 0 {
            json.push(b',');
        }
        put(json, &item, depth + 1).map_err(|error| error.at(format!("[{place}]")))?;
    }
    json.push(b']');
    Ok(())
}

fn put_dict(json: &mut Vec<u8>, dict: &Bound<'_, PyDict>, depth: usize) -> Result<(), NotJson> {
    json.push(b'{');
    // A copy: writing an item may run code that changes the dictionary, and so may other threads.
    for (place, pair) in dict.items().iter().enumerate() {
        let Ok((key, item)) = pair.extract::<(Bound<'_, PyAny>, Bound<'_, PyAny>)>() else { continue };
        if place > 0 {
            json.push(b',');
        }
        put_key(json, &key)?;
        json.push(b':');
        put(json, &item, depth + 1).map_err(|error| error.at(format!("[{}]", shown(&key))))?;
    }
    json.push(b'}');
    Ok(())
}

/// Keys as Python's own `json` writes them.
fn put_key(json: &mut Vec<u8>, key: &Bound<'_, PyAny>) -> Result<(), NotJson> {
    if let Ok(text) = key.cast::<PyString>() {
        return put_text(json, text);
    }
    let is_plain = key.is_none() || key.is_instance_of::<PyInt>() || key.is_instance_of::<PyFloat>();
    if !is_plain {
        return Err(NotJson::new(format!("has a key of type {}; keys are texts", type_name(key))));
    }
    let mut text = Vec::new();
    put(&mut text, key, 0)?;
    put_str(json, &String::from_utf8_lossy(&text));
    Ok(())
}

fn put_other(json: &mut Vec<u8>, value: &Bound<'_, PyAny>, depth: usize) -> Result<(), NotJson> {
    let py = value.py();
    let types = Types::get(py)?;
    let is = |class: &Py<pyo3::types::PyType>| value.is_instance(class.bind(py));
    let extend =
        |json: &mut Vec<u8>, kind: &str, text: &str| put_extension(json, kind, |json| put_str(json, text));
    if is(&types.datetime)? {
        extend(json, "datetime", &text_of(value, "isoformat")?);
    } else if is(&types.date)? {
        extend(json, "date", &text_of(value, "isoformat")?);
    } else if is(&types.time)? {
        extend(json, "time", &text_of(value, "isoformat")?);
    } else if is(&types.decimal)? {
        extend(json, "decimal", &value.str()?.to_cow()?);
    } else if is(&types.uuid)? {
        let hex = value.getattr("hex")?;
        put_extension(json, "uuid", |json| {
            json.extend_from_slice(b"{\"hex\":");
            put_str(json, &hex.to_string());
            json.push(b'}');
        });
    } else if is(&types.enumeration)? {
        return put(json, &value.getattr("value")?, depth + 1);
    } else if let Some(bytes) = bytes_of(value) {
        if let Ok(text) = std::str::from_utf8(&bytes) {
            extend(json, "bytes", text);
        } else {
            let encoded = py.import("base64")?.call_method1("b64encode", (PyBytes::new(py, &bytes),))?;
            let text = encoded.call_method1("decode", ("ascii",))?;
            extend(json, "base64", &text.to_string());
        }
    } else if let Some(method) = value.getattr_opt("__json__")? {
        return put(json, &method.call0()?, depth + 1);
    } else {
        return Err(NotJson::new(format!("is of type {}, which JSON has no form for", type_name(value))));
    }
    Ok(())
}

fn put_extension(json: &mut Vec<u8>, kind: &str, value: impl FnOnce(&mut Vec<u8>)) {
    json.extend_from_slice(b"{\"__type__\":");
    put_str(json, kind);
    json.extend_from_slice(b",\"__value__\":");
    value(json);
    json.push(b'}');
}

fn text_of(value: &Bound<'_, PyAny>, method: &str) -> Result<String, NotJson> {
    Ok(value.call_method0(method)?.str()?.to_cow()?.into_owned())
}

fn bytes_of(value: &Bound<'_, PyAny>) -> Option<Vec<u8>> {
    if let Ok(bytes) = value.cast::<PyBytes>() {
        return Some(bytes.as_bytes().to_vec());
    }
    value.cast::<PyByteArray>().ok().map(PyByteArrayMethods::to_vec)
}

fn shown(key: &Bound<'_, PyAny>) -> String {
    key.repr().map_or_else(|_| "?".to_owned(), |shown| shown.to_string_lossy().chars().take(40).collect())
}

fn type_name(value: &Bound<'_, PyAny>) -> String {
    value.get_type().fully_qualified_name().map_or_else(|_| "?".to_owned(), |name| name.to_string())
}
