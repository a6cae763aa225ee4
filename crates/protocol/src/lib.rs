//! Celery's task messages and results: bytes to and from `cardoon-core`.
//!
//! ```text
//! Signature ──encode──► Message ──decode──► Incoming { task, Arguments, .. } ──bind──► typed values
//!                        │    └────next_attempt────► Message of the same id, to be executed again
//!            kombu::write│▲kombu::read
//!                        ▼│                          ResultRecord ◄──celery_result──► JSON document
//!                     envelope on a list
//! ```
//!
//! Messages are written in protocol 2 with JSON bodies; they are read in protocol 2 and 1, with JSON, msgpack and
//! YAML bodies, compressed or not. Whatever arrives may have been written by anybody: [`decode`] checks size, content
//! type, compression, nesting and shape before it hands anything out, and says what is wrong and where. Values stay
//! JSON text until a task takes them.

mod arguments;
mod compression;
mod content;
mod decode;
mod encode;
mod follow_ups;
mod headers;
mod json_text;
mod limits;
mod natural;
mod nesting;
mod python_repr;
mod retry;
mod trace;
mod v1;
mod wire_time;

pub mod celery_result;
pub mod kombu;

pub use arguments::{Arguments, BadArguments, Bound};
pub use decode::{Incoming, Undecodable, decode};
pub use encode::{encode, encode_within};
pub use headers::RESERVED_HEADERS;
pub use limits::Limits;
pub use natural::from_json;
pub use retry::{next_attempt, next_attempt_with, without_compression};
pub use trace::{carrying, continued, trace_of};

/// The content type that is written.
pub const JSON: &str = "application/json";
/// A content type that is read.
pub const MSGPACK: &str = "application/x-msgpack";
/// A content type that is read.
pub const YAML: &str = "application/x-yaml";
