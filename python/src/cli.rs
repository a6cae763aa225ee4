//! The command line, as the package's console script runs it.

use std::ffi::OsString;

use pyo3::prelude::*;

/// Carries out a command line, whose first part is the program's name, and answers its exit status. `python` is the
/// interpreter that workers run tasks with.
#[pyfunction]
pub(crate) fn cli(py: Python<'_>, arguments: Vec<OsString>, python: OsString) -> u8 {
    py.detach(|| cardoon_cli::run_with(&arguments, Some(python)))
}
