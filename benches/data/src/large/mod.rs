//! What does not fit into the memory that it may use, how the time grows with the files, and what a cluster takes that has
//! nothing to do: `cargo xtask bench data --large`.

mod asked;
mod cluster;
mod count;
mod groups;
mod report;
mod row;
mod sort;
mod tally;

pub(crate) use self::report::{Large, check};
