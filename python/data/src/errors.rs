//! Errors as the exceptions of `cardoon.exceptions`, and as those that Python's programs catch.

use cardoon_errors::Error;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

/// The exception that stands for `error`. Its class goes by the code.
pub(crate) fn raise(error: &Error) -> PyErr {
    Python::attach(|py| exception(py, error).unwrap_or_else(|problem| problem))
}

fn exception(py: Python<'_>, error: &Error) -> PyResult<PyErr> {
    let make = py.import("cardoon_data._errors")?.getattr("of_engine")?;
    let exception = make.call1((
        error.code().to_string(),
        error.kind().to_string(),
        error.message(),
        error.causes(),
        error.findings().to_vec(),
        error.next_step(),
    ))?;
    if exception.is_instance_of::<pyo3::exceptions::PyBaseException>() {
        Ok(PyErr::from_value(exception))
    } else {
        Ok(PyRuntimeError::new_err(error.to_string()))
    }
}
