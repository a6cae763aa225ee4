//! The adapter as its users see it.

mod common;
mod conformance;
mod way;
