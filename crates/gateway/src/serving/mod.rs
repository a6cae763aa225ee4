//! Connections: how many there are, and how long each may keep the gateway waiting.

mod door;
mod patient;

pub(crate) use door::{Door, serve};
