//! How the values of each kind are read. Each function takes the whole field or nothing.

mod float;
mod int;
mod time;

pub(crate) use float::float;
pub(crate) use int::{int, is_whole};
pub(crate) use time::{date, timestamp};

use crate::field::Field;

/// The words that pandas knows.
pub(crate) fn boolean(field: Field<'_>) -> Option<bool> {
    match field.text() {
        b"true" | b"True" | b"TRUE" => Some(true),
        b"false" | b"False" | b"FALSE" => Some(false),
        _ => None,
    }
}
