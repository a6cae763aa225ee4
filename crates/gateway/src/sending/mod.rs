//! From requests to stored messages.

mod once;
mod sender;

pub(crate) use once::{Once, digest};
pub(crate) use sender::Sender;
