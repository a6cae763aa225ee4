//! The coordination port: small values that several nodes agree on.

mod limits;
mod port;

pub mod conformance;
pub mod memory;

pub use limits::{MAX_KEY_BYTES, MAX_VALUE_BYTES, check};
pub use port::{Coordinator, Entry};
