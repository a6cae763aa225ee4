//! One file a measurement, in a folder a broker, and one each for the Python package and for the command.

pub(crate) mod gateway;
pub(crate) mod python;
pub(crate) mod redis;
pub(crate) mod sqlite;
