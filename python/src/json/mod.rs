//! Values between Python and JSON, with kombu's extension types.

mod read;
mod types;
mod write;

pub(crate) use read::read;
pub(crate) use types::Types;
pub(crate) use write::write;

/// The keys of kombu's extension objects.
const TYPE: &str = "__type__";
const VALUE: &str = "__value__";
