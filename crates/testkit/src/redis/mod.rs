//! Real Redis servers for tests.

mod options;
mod program;
mod resp;
mod server;

pub use options::{AppendOnly, RedisOptions};
pub use server::RedisServer;
