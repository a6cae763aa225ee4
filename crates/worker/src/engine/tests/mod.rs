//! The engine, driven by hand and by chance.

mod arrivals;
mod bench;
mod chance;
mod claims;
mod early;
mod ends;
mod limits;
mod refusals;
mod revokes;
mod scaling;
mod shutdown;
