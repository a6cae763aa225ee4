//! Tasks that a worker for data executes.

mod query;

pub(crate) use query::{Limits, sql};
