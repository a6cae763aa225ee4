//! The command line, as Python starts it.

use std::ffi::OsString;
use std::path::PathBuf;

use cardoon_data::Program;
use pyo3::prelude::*;

/// Carries out the command in `argv`, which does not begin with the name of the program, and answers its exit status. A
/// cluster starts its executors with `program`, and `words` before the command.
#[pyfunction]
pub(crate) fn main(py: Python<'_>, argv: Vec<OsString>, program: PathBuf, words: Vec<OsString>) -> u8 {
    py.detach(|| cardoon_data::run(Program { path: program, words }, argv))
}
