//! Connections: how many there are, how much each may ask, and how long each may keep the gateway waiting.

mod door;
mod head;
mod patient;

pub(crate) use door::{Door, serve};
pub(crate) use head::check_head;
