//! The gateway over real sockets.
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

mod access;
mod client;
mod events;
mod fuzzing;
mod help;
mod looking;
mod once;
mod pressure;
mod sending;
mod steering;
mod stores;
mod world;
