//! Real Redis servers for tests.

mod authority;
mod options;
mod program;
mod release;
mod resp;
mod sentinel;
mod server;

pub use options::{AppendOnly, RedisOptions};
pub use release::Release;
pub use sentinel::Sentinel;
pub use server::RedisServer;
