//! The compiled part of the Python package. What users call is Python; this is what it stands on.

mod child;
mod cli;
mod client;
mod errors;
mod json;

use pyo3::prelude::*;

#[pymodule]
mod _core {
    use pyo3::prelude::*;
    use pyo3::types::PyBytes;

    #[pymodule_export]
    use crate::child::{Call, Child, current_call};
    #[pymodule_export]
    use crate::cli::cli;
    #[pymodule_export]
    use crate::client::{Client, Record};

    /// The version of the frames between a worker and its children.
    #[pymodule_export]
    const PROTOCOL: u32 = cardoon_children::frame::VERSION;

    /// What a child prints first in a call that prints.
    #[pymodule_export]
    const MARK: &str = cardoon_children::MARK;

    /// A value as JSON.
    #[pyfunction]
    fn dumps<'py>(py: Python<'py>, value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
        let mut json = Vec::new();
        crate::json::write(&mut json, value)
            .map_err(|error| crate::errors::not_serializable(error.describe("the value")))?;
        Ok(PyBytes::new(py, &json))
    }

    /// The page of a code in Markdown: Chinese for a locale such as `zh_CN`, else English. `None` if there is no such code.
    #[pyfunction]
    fn explain(code: &str, locale: &str) -> Option<&'static str> {
        let code = code.parse().ok()?;
        Some(cardoon_errors::page(code, cardoon_errors::Language::from_locale(locale)))
    }

    /// The value of some JSON.
    #[pyfunction]
    fn loads<'py>(py: Python<'py>, json: &[u8]) -> PyResult<Bound<'py, PyAny>> {
        crate::json::read(py, json)
    }
}
