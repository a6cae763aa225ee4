//! The engine on real files.
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

mod broken;
mod columns;
mod files;
mod frames;
mod functions;
mod groups;
mod nulls;
mod outputs;
mod progress;
mod queries;
mod support;
