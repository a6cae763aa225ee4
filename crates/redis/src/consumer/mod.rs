//! One worker's side of the broker.

mod blame;
mod claiming;
mod early_claiming;
mod ghost;
mod heart;
mod port;
mod session;
mod settling;
mod sweeping;
mod watcher;

pub(crate) use port::RedisConsumer;
pub(crate) use session::Session;
