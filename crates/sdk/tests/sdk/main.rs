//! The crate as a program uses it.
#![expect(clippy::unwrap_used, reason = "a test panics when something unexpected happens")]

mod attribute;
mod copies;
mod inline;
mod sending;
mod settings;
mod support;
mod working;
