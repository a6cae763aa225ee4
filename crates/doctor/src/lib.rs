//! The doctor: asks the stores of an application what may be wrong with them, in a beginner's order, and says for each finding
//! what was checked and what to do next.
//!
//! ```text
//! rounds ─► connect::probe   what only an adapter can tell: is it running, …, does it keep what it takes
//!        ─► queues           does every queue in which tasks wait have a worker
//!        ─► names            does somebody know every task that waits
//!        ─► holders          does somebody hold messages who is gone
//! ```
//!
//! It only looks: no database is made and nothing is written.

mod few;
mod holders;
mod look;
mod names;
mod queues;
mod rounds;

pub use cardoon_connect::Surroundings;
pub use rounds::{Patient, examine};
