//! The adapter as its users see it.
#![expect(clippy::unwrap_used, reason = "a step that fails fails its test")]

mod care;
mod common;
mod conformance;
mod faults;
mod left;
mod lists;
mod probe;
mod processes;
mod robust;
mod way;
