//! A network that fails on demand, between a program and a server.

mod carry;
mod line;
mod server;
mod switch;

pub use line::{Flow, Line};
pub use server::FaultProxy;
