//! How far a query has come.
//!
//! ```text
//! plan ─► files: how many bytes there are        ┐
//! metrics of its operators ─► counts: what is done ├─► Progress
//! a cluster: what its scheduler tells            ┘
//! ```

mod counts;
mod files;
mod step;
mod told;
mod watch;

pub use counts::Counts;
pub use files::Files;
pub use step::stage_name;
pub use told::{Progress, Stage};
pub use watch::Watch;
