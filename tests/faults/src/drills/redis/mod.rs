//! The drills that need a server: it dies, it stands still, it refuses, and the network between breaks.

pub mod accident;
pub mod envelopes;
pub mod ghost;
pub mod sentinel;
pub mod stopped;
pub mod trial;

mod load;
mod trouble;

pub use trouble::Trouble;

/// The list in which Celery's layout has the drills' tasks: the queue `celery`, without a priority.
pub const LIST: &str = "celery";
