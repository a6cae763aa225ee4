//! The compiled part of the Python package for data: an engine that takes plans as JSON and answers with Arrow's tables.
//! What users call is Python.

mod command;
mod engine;
mod errors;
mod progress;
mod table;
mod waiting;

use pyo3::prelude::*;

#[pymodule]
mod _engine {
    #[pymodule_export]
    use crate::command::main;
    #[pymodule_export]
    use crate::engine::{Engine, keep_store_options};
    #[pymodule_export]
    use crate::progress::Progress;
    #[pymodule_export]
    use crate::table::Table;
}
