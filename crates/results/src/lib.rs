//! The result port: what became of tasks, and which run of each is current.

mod port;

pub mod altered;
pub mod conformance;
pub mod memory;

pub use port::{BeginRun, Begun, Reported, ResultBackend, Stored};
