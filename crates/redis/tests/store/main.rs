//! The adapter as its users see it, on a real server.
#![expect(clippy::unwrap_used, reason = "a step that fails fails its test")]

mod claims;
mod common;
mod conformance;
mod doors;
mod handback;
mod lives;
mod mixed;
mod revokes;
mod trouble;
