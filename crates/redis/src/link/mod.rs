//! Connections: made in one place, renewed when they break, each await with a limit.

mod era;
mod lane;
pub(crate) mod open;
mod values;
mod vigil;
mod wire;

pub(crate) use era::Era;
pub(crate) use lane::Lane;
pub(crate) use values::{bytes, int, items, text};
pub(crate) use wire::{Patience, Pushes, Wire, primary_of};
