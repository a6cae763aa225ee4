//! Runs lazy frames and SQL with DataFusion, on one machine within a limit of memory.
//!
//! ```text
//! Frame or SQL ─ lower ─► logical plan ─► DataFusion ─► batches of rows ─► table, file, pandas
//!                  │                           ▲
//!                  └── tables: files by their names ── cardoon-csv, Parquet, JSON lines
//! ```
//!
//! The engine owns what the plan does not know: which files a pattern means, what their columns hold, how much memory the
//! process may use, and what is done when a later row of a file shows that a column holds something else than its samples
//! did: the column is widened and the query starts again.

mod cluster;
mod direct;
mod engine;
mod errors;
mod lower;
mod memory;
mod nulls;
mod order;
mod output;
mod progress;
mod python;
mod session;
mod settings;
mod shares;
pub mod steps;
mod stores;
mod tables;

pub use cluster::{BAD_ROWS, BYTES_READ, Cluster, ROWS_READ, decode, encode};
pub use engine::{Engine, Rows, Summary};
pub use errors::{carried, lost, was_lost};
pub use memory::{MINIMUM as MINIMUM_MEMORY, memory};
pub use output::{Fence, Output, OutputFormat, Writer, of_writer};
pub use progress::{Counts, Files, Progress, Stage, Watch, stage_name};
pub use python::{Children, Interest, Python, while_wanted};
pub use session::{finding, improved, is_short_of_memory, runtime, shared_out};
pub use settings::Settings;
pub use stores::{StoreOptions, keep_store_options};
