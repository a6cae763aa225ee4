//! Files that are written here are read as they were written, however they are cut and by however many threads.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod changes;
mod errors;
mod malformed;
mod memory;
mod parts;
mod reading;
mod round_trip;
mod table;
mod values;
