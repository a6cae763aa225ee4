//! What the tests of the files in `ops` share.

mod commands;
mod files;
mod tools;

pub use commands::{Invocation, of_compose, of_container, of_unit};
pub use files::{Kind, files, folder};
pub use tools::{Tool, cardoon, succeeds, yaml};
