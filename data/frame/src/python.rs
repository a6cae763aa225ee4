use serde::{Deserialize, Serialize};

use crate::Expr;

/// A function of Python that runs in processes of its own.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PythonFunction {
    /// What errors call it.
    pub name: String,
    /// The function and how it is called, as Python pickles it, in base64.
    pub call: String,
    /// The version of Python that has pickled it, and that alone can read it: `3.12`.
    pub python: String,
    /// The columns that it makes: a schema as in Arrow's streams, in base64.
    pub columns: String,
}

/// A function of Python that makes a column: a value for each row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PythonCall {
    pub function: PythonFunction,
    /// What it is given, as columns `0`, `1` and so on.
    pub arguments: Vec<Expr>,
}
