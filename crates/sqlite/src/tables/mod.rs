//! The rows of single tables. What moves between them is in [`crate::operations`].

mod prepare;
mod step;

pub(crate) mod counts;
pub(crate) mod dead;
pub(crate) mod entries;
pub(crate) mod events;
pub(crate) mod lists;
pub(crate) mod messages;
pub(crate) mod orders;
pub(crate) mod paused;
pub(crate) mod places;
pub(crate) mod queues;
pub(crate) mod records;
pub(crate) mod revoked;
pub(crate) mod sessions;
pub(crate) mod tasks;

pub(crate) use prepare::prepare;
#[cfg(test)]
pub(crate) use prepare::seen;
pub(crate) use step::{Step, StepState, all};
