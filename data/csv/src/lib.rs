//! A scan of CSV files into Arrow arrays, by several threads at once.
//!
//! ```text
//! Source ──► Blocks ───────► Index ──────────► column::read ──► Batch
//!            whole rows,     where each        an array for each
//!            under the       field ends        projected column
//!            file's lock
//! ```
//!
//! Whoever holds the lock of a file reads its next block and looks for the end of the last whole row, which is the only
//! thing that needs to know what came before: whether a line end is within quotes. What costs time, to find the fields
//! and to read the values, is done outside of the lock.
//!
//! So that several processes can read one file, [`parts`] cuts it at row ends, and each scans its own
//! ([`Scan::of_parts`]).
//!
//! The kinds of the columns come from samples ([`infer`], [`merge`]). A later row may disagree, and then
//! [`Error::Disagrees`] tells which kind is needed; whoever scans does it again with that kind.

mod blocks;
mod column;
mod dialect;
mod ends;
mod error;
mod field;
mod file;
mod head;
mod header;
mod index;
mod infer;
mod kind;
mod marks;
mod nulls;
mod part;
mod quotes;
mod reader;
mod scan;
mod source;
mod value;

pub use dialect::Dialect;
pub use error::{Error, Result};
pub use header::{Header, merge};
pub use infer::{Sample, infer};
pub use kind::Kind;
pub use part::{Part, parts};
pub use reader::{Batch, Reader};
pub use scan::{BadRows, Options, Progress, Scan};
pub use source::{FileSource, Input, Source};
