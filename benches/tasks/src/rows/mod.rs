//! One file a measurement, in a folder a broker.

pub(crate) mod python;
pub(crate) mod redis;
pub(crate) mod sqlite;
