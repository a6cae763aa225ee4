//! Connections: made in one place, renewed when they break, each await with a limit.

mod lane;
mod open;
mod values;
mod wire;

pub(crate) use lane::Lane;
pub(crate) use values::{bytes, int, items, text};
pub(crate) use wire::{Pushes, Wire};
