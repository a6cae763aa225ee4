//! How far a query has come: bars on a terminal, a text for a task, and what it took at the end.

mod bars;
mod follow;
mod text;

pub(crate) use follow::{Shown, follow};
pub(crate) use text::stages;
