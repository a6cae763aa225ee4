//! What people do with tasks, queues, workers and dead letters. The command line and the gateway are two surfaces of it: what
//! they show, and in which words, is here once.

mod redrive;
mod revoke;
mod whereabouts;

pub mod explain;
pub mod failure;
pub mod input;
pub mod listing;
pub mod retry;
pub mod text;
pub mod times;
pub mod view;
pub mod why;
pub mod workers;

pub use redrive::redrive;
pub use revoke::{RevokedAs, revoke};
pub use whereabouts::{Known, Whereabouts, unknown};
