//! What a doctor asks of a database file, in a beginner's order. Each step has a limit, nothing is made, and nothing in the
//! database changes.

mod contents;
mod place;
mod rounds;

pub use rounds::{ProbeLimits, probe};
