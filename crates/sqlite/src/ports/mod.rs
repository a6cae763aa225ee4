//! The ports, on top of the operations.

mod broker;
mod consumer;
mod control;
mod coord;
mod dead_letters;
mod emission;
mod events;
mod inbox;
mod inspect;
mod results;
mod slices;
mod sweeper;
mod waiters;

pub(crate) use waiters::{Following, Waiters};
