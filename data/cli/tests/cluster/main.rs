//! Queries on a cluster of processes that are ended, stopped and lied to.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

mod answers;
mod away;
mod clients;
mod deaths;
mod failures;
mod life;
mod network;
mod progress;
mod rig;
mod strangers;
mod token;
