//! Functions of Python as steps of a plan.
//!
//! ```text
//! rows ─ cut ─► chunk ─ Arrow IPC ─► child: a process of Python ─ Arrow IPC ─► rows
//!                                      ▲ one of few, started when one is needed, kept for the next chunk and the next query
//! ```
//!
//! A child that dies takes one chunk with it, which another child is given. What a function raises is an error of the
//! query. Whoever stops waiting for a chunk kills the child that works on it.

mod children;
mod chunk;
mod exec;
mod failure;
mod function;
mod interest;
mod node;
mod places;
mod planner;
mod rows;
mod settings;

pub use children::Children;
pub(crate) use exec::{decode as decode_function, encode as encode_function};
pub(crate) use function::{Function, Given};
pub use interest::{Interest, while_wanted};
pub(crate) use node::{is_places, keeps_order, step};
pub(crate) use places::{decode as decode_places, encode as encode_places, with_places};
pub(crate) use planner::Planner;
pub use settings::Python;
