//! Cardoon and real Celery on one Redis: each side's tasks, workers and results, read by the other.
//!
//! A scenario in [`scenarios`] takes a producer and a worker and does not care whose they are. The test binary
//! `tests/interop.rs` runs each with both mixtures and every version of Celery; `soak` runs the mixed fleets with
//! their full counts.

mod lab;
mod ours;
mod producer;
mod tasks;
mod theirs;
mod version;

pub mod beside;
pub mod fleet;
pub mod scenarios;

pub use lab::Lab;
pub use ours::{OurSpec, serve};
pub use producer::{Call, Ended, Producer};
pub use theirs::CeleryClient;
pub use version::Version;

/// Whose program it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Ours,
    Theirs,
}
