//! Broker, results, history and events in one SQLite file, shared by the processes of one machine.
//!
//! ```text
//! ports/        what the ports ask, as operations and queries
//! operations/   one step each: publish, claim, settle, rescue, revoke, redrive, end of a run
//! tables/       rows of single tables: names, messages, places, records
//! writer        the one thread that changes the file: group commit        turn   fairness between processes
//! readers       connections that only read
//! live/         the folder beside the file: who is alive, and whom to wake
//! database      all of the above, opened once for a process and file
//! probe/        what a doctor asks of a file
//! care/         check, backup and vacuum, beside the processes that work
//! ```
//!
//! `docs/architecture.md` explains the whole; `docs/decisions/` says why it is so.

mod additions;
pub mod care;
mod database;
mod failure;
mod guard;
mod layout;
mod live;
mod operations;
mod options;
mod ports;
mod probe;
mod readers;
mod store;
mod tables;
mod turn;
mod upkeep;
mod writer;

pub use options::{Retention, SqliteOptions, Synchronous};
pub use probe::{ProbeLimits, probe};
pub use store::SqliteStore;
