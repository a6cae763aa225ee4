//! `verify`: is my system any good? Measured on the user's own store, and left as it was.

mod lines;
mod options;
mod run;
mod worker;

pub(crate) use options::{NodeOptions, Options};
pub(crate) use run::{run, run_node};
pub(crate) use worker::{flags as worker_flags, with_verification};
