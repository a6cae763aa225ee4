//! From a URL to stores. The only crate that knows all adapters.

#[cfg(all(feature = "sqlite", unix))]
pub mod care;
mod default_location;
mod probe;
mod stores;
mod url;

pub use default_location::{default_url, locate};
pub use probe::{Holds, Surroundings, probe};
pub use stores::{Stores, connect, connect_to_look, connect_with, database_file, is_in_memory, memory};
