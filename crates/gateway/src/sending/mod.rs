//! From requests to stored messages.

mod keys;
mod once;
mod reservation;
mod sender;
mod to_the_end;
mod turns;

pub(crate) use keys::Keys;
pub(crate) use once::Once;
pub(crate) use reservation::digest;
pub(crate) use sender::Sender;
pub(crate) use to_the_end::to_the_end;
pub(crate) use turns::Turn;
