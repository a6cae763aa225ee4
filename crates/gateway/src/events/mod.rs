//! Events for many readers: one listener hears them from the broker, a ring keeps the latest, each reader has its place in it.

mod filter;
mod hub;
mod reader;
mod ring;

pub(crate) use filter::EventFilter;
pub(crate) use hub::Hub;
pub(crate) use reader::Reader;
pub(crate) use ring::Place;
