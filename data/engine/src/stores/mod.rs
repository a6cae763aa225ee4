//! Object stores that speak S3: objects by their URLs, read and written.
//!
//! ```text
//! url ─► Stores ─► Bucket ─► list, look, get ─► ReadAhead: a stream of ranges for the scan of CSV
//!          │          └────► Upload: parts that become an object when all of them are there
//!          └ Registry: the same buckets for what DataFusion reads itself
//! ```
//!
//! Requests run on threads of their own, so that a thread which scans may wait for them. Who may read is told by the
//! environment, as AWS's tools read it, or by options that a program keeps here under a name: plans have the name only.

mod ahead;
mod bucket;
mod config;
mod failure;
mod options;
mod pool;
mod registry;
mod source;
mod told;
mod upload;
mod url;
mod wait;

pub(crate) use bucket::{Bucket, Condition, Object};
pub use options::StoreOptions;
pub(crate) use pool::Stores;
pub(crate) use registry::Registry;
pub(crate) use source::ObjectSource;
pub(crate) use upload::{Ready, Upload};
pub(crate) use url::ObjectUrl;

use cardoon_errors::Result;

/// Keeps `options` as long as the process lives, and answers the name by which scans and outputs refer to them.
pub fn keep_store_options(options: StoreOptions) -> Result<String> {
    Stores::of_process().map(|stores| stores.keep(options))
}
