//! Python's own types that JSON lacks.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

/// The classes, looked up once.
pub(crate) struct Types {
    pub(super) datetime: Py<PyType>,
    pub(super) date: Py<PyType>,
    pub(super) time: Py<PyType>,
    pub(super) decimal: Py<PyType>,
    pub(super) uuid: Py<PyType>,
    pub(super) enumeration: Py<PyType>,
}

static TYPES: PyOnceLock<Types> = PyOnceLock::new();

impl Types {
    pub(crate) fn get(py: Python<'_>) -> PyResult<&Self> {
        TYPES.get_or_try_init(py, || {
            let class = |module: &str, name: &str| -> PyResult<Py<PyType>> {
                Ok(py.import(module)?.getattr(name)?.cast_into::<PyType>()?.unbind())
            };
            Ok(Self {
                datetime: class("datetime", "datetime")?,
                date: class("datetime", "date")?,
                time: class("datetime", "time")?,
                decimal: class("decimal", "Decimal")?,
                uuid: class("uuid", "UUID")?,
                enumeration: class("enum", "Enum")?,
            })
        })
    }
}
