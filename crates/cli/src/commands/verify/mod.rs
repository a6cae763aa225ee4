//! `verify`: is my system any good? Measured on the user's own store, and left as it was.

mod lines;
mod options;
mod run;

pub(crate) use options::{NodeOptions, Options};
pub(crate) use run::{run, run_node};
