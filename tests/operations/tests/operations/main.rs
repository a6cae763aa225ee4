//! The files in `ops` are sound, and the commands in them exist.
#![expect(clippy::unwrap_used, reason = "a step that fails fails its test")]

mod linted;
mod parsed;
