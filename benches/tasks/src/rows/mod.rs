//! One file a measurement.

pub(crate) mod backlog;
pub(crate) mod drain;
pub(crate) mod idle;
pub(crate) mod open_loop;
pub(crate) mod send;
pub(crate) mod two;
