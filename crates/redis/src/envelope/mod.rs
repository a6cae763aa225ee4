//! Messages as they lie in lists: kombu's envelope, and what we remember of a message at its front.

mod age;
mod marks;

pub(crate) use age::stored_at;
pub(crate) use marks::{Marks, marked, parts};
