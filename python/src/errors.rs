//! Errors as the exceptions of `cardoon.exceptions`.

use cardoon_errors::Error;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

/// The exception that stands for `error`. Its class goes by the code.
pub(crate) fn raise(error: &Error) -> PyErr {
    Python::attach(|py| exception(py, error).unwrap_or_else(|problem| problem))
}

/// The exception for a value that cannot be written, with the place where it stands.
pub(crate) fn not_serializable(message: String) -> PyErr {
    let hint = "pass JSON values, datetimes, Decimals, UUIDs or bytes; of an object pass what identifies it, such as its id";
    raise(&Error::new(cardoon_errors::Code::NotSerializable, message).hint(hint))
}

fn exception(py: Python<'_>, error: &Error) -> PyResult<PyErr> {
    let make = py.import("cardoon.exceptions")?.getattr("_of_core")?;
    let code = error.code();
    let exception = make.call1((
        code.to_string(),
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
