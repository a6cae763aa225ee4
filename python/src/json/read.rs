use jiter::{FloatMode, PythonParse, StringCacheMode};
use pyo3::exceptions::{PyException, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString};

use super::{TYPE, Types, VALUE};

const MARK: &[u8] = b"__type__";

/// The value that `json` stands for. kombu's extension objects become the values that they stand for; one of an unknown
/// type, or whose value is none of its type, stays a dictionary.
///
/// # Errors
///
/// `ValueError` for what is no JSON.
pub(crate) fn read<'py>(py: Python<'py>, json: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    let parse = PythonParse {
        allow_inf_nan: true,
        cache_mode: StringCacheMode::Keys,
        float_mode: FloatMode::Float,
        ..PythonParse::default()
    };
    let value = parse
        .python_parse(py, json)
        .map_err(|error| PyValueError::new_err(format!("this is no JSON: {}", error.description(json))))?;
    let has_extensions = json.windows(MARK.len()).any(|part| part == MARK);
    if has_extensions { natural(value) } else { Ok(value) }
}

/// `value` with extension objects replaced, in place where that is possible.
fn natural(value: Bound<'_, PyAny>) -> PyResult<Bound<'_, PyAny>> {
    if let Ok(list) = value.cast::<PyList>() {
        for (place, item) in list.iter().enumerate() {
            list.set_item(place, natural(item)?)?;
        }
    } else if let Ok(dict) = value.cast::<PyDict>() {
        for (key, item) in dict.iter() {
            dict.set_item(key, natural(item)?)?;
        }
        match extension(dict) {
            Ok(Some(natural)) => return Ok(natural),
            // What only looks like one is a dictionary.
            Err(error) if !error.is_instance_of::<PyException>(dict.py()) => return Err(error),
            _ => {}
        }
    }
    Ok(value)
}

fn extension<'py>(dict: &Bound<'py, PyDict>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let (Some(kind), Some(value)) = (dict.get_item(TYPE)?, dict.get_item(VALUE)?) else { return Ok(None) };
    let Ok(kind) = kind.cast::<PyString>() else { return Ok(None) };
    let py = dict.py();
    let types = Types::get(py)?;
    let iso = |class: &Py<pyo3::types::PyType>| {
        // A `Z` is read by Python 3.11 and newer only.
        let text = value.str()?.to_string_lossy().replace('Z', "+00:00");
        class.bind(py).call_method1("fromisoformat", (text,))
    };
    Ok(Some(match &*kind.to_string_lossy() {
        "datetime" => iso(&types.datetime)?,
        "date" => {
            let text = value.str()?.to_string_lossy().chars().take(10).collect::<String>();
            types.date.bind(py).call_method1("fromisoformat", (text,))?
        }
        "time" => iso(&types.time)?,
        "decimal" => types.decimal.bind(py).call1((value,))?,
        "uuid" => uuid(types, &value)?,
        "bytes" => value.str()?.call_method1("encode", ("utf-8",))?,
        "base64" => base64(&value)?,
        _ => return Ok(None),
    }))
}

fn uuid<'py>(types: &Types, value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let hex = match value.cast::<PyDict>() {
        Ok(dict) => dict.get_item("hex")?,
        Err(_) => None,
    };
    types.uuid.bind(value.py()).call1((hex.unwrap_or_else(|| value.clone()),))
}

fn base64<'py>(value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let bytes = value.py().import("base64")?.call_method1("b64decode", (value,))?;
    Ok(bytes.cast_into::<PyBytes>()?.into_any())
}
