//! From a URL to stores. The only crate that knows all adapters.

mod default_location;
mod stores;
mod url;

pub use default_location::{default_url, locate};
pub use stores::{Stores, connect, connect_with, database_file, is_in_memory, memory};
