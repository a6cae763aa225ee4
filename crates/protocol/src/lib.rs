//! Celery's task messages of protocol 2: bytes to and from `cardoon-core`.
//!
//! ```text
//! Signature ──encode──► Message ──decode──► Incoming { task, Arguments, .. } ──bind──► typed values
//!                          └────next_attempt────► Message of the same id, to be executed again
//! ```
//!
//! Whatever arrives may have been written by anybody: [`decode`] checks size, content type, compression, nesting
//! and shape before it hands anything out, and says what is wrong and where. Values stay JSON text until a task
//! takes them.

mod arguments;
mod compression;
mod decode;
mod encode;
mod headers;
mod json_text;
mod limits;
mod nesting;
mod python_repr;
mod retry;
mod wire_time;

pub mod celery_result;
pub mod kombu;

pub use arguments::{Arguments, BadArguments, Bound};
pub use decode::{Incoming, Undecodable, decode};
pub use encode::encode;
pub use limits::Limits;
pub use retry::next_attempt;

/// The one content type that is read and written.
pub const JSON: &str = "application/json";
