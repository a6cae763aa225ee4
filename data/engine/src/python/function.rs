use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cardoon_errors::{Code, Error};
use cardoon_frame::PythonFunction;
use datafusion::arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::arrow::ipc::reader::StreamReader;
use datafusion::error::Result;
use serde::{Deserialize, Serialize};

use crate::errors::IntoEngine as _;

/// A function, and the columns that it makes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Function {
    pub(super) code: Arc<PythonFunction>,
    pub(super) columns: SchemaRef,
}

/// What a function is given at once.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum Given {
    /// Some rows, as they come.
    Chunks,
    /// Whole groups: rows whose `keys` are equal, sorted by `order`.
    Groups { keys: Vec<String>, order: Vec<String> },
    /// These columns of some rows. It makes a column that has a value for each row, and all others stay.
    Rows { arguments: Vec<String> },
}

impl Function {
    pub(crate) fn new(code: &PythonFunction) -> Result<Self> {
        let columns = schema(&code.columns).ok_or_else(|| {
            Error::new(Code::BadQuery, format!("the columns of the function {} cannot be read", code.name))
                .into_engine()
        })?;
        Ok(Self { code: Arc::new(code.clone()), columns })
    }

    /// The same function, whose only column is called so.
    pub(crate) fn named(self, name: &str) -> Self {
        let fields: Vec<Field> =
            self.columns.fields().iter().map(|field| Field::clone(field).with_name(name)).collect();
        Self { columns: Arc::new(Schema::new(fields)), ..self }
    }
}

/// The schema of a stream of Arrow, in base64.
fn schema(text: &str) -> Option<SchemaRef> {
    let stream = STANDARD.decode(text).ok()?;
    let columns = StreamReader::try_new(stream.as_slice(), None).ok()?.schema();
    // A function may always leave a value out, and what pandas notes there is not needed.
    let fields: Vec<Field> = columns
        .fields()
        .iter()
        .map(|field| Field::new(field.name(), field.data_type().clone(), true))
        .collect();
    Some(Arc::new(Schema::new(fields)))
}
