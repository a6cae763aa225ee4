//! Broker and results on a Redis or Valkey server, in queues that Celery shares.
//!
//! The lists that messages wait in and the results are Celery's own; what Celery has no place for lives in keys of ours.
//! `docs/decisions/0006-redis-layout.md` says which, and why.
//!
//! ```text
//! ports ──► operations ──► scripts, or changes that Rust decides and one script applies
//!   │                        │
//!   └── consumer, watcher ───┴──► link: lanes that reconnect, each await with a limit
//! ```

mod address;
mod consumer;
mod envelope;
mod failure;
mod keys;
mod link;
mod operations;
mod options;
mod ports;
mod probe;
mod scripts;
mod server;
mod store;

pub use address::RedisAddress;
pub use options::{RedisOptions, Retention};
pub use probe::{Holds, Surroundings, probe};
pub use store::RedisStore;
