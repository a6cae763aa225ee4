//! `cardoon verify`: is my system any good? Efficiency, fault tolerance and consistency, measured on the user's own store.
//!
//! ```text
//! Site ── a queue of its own, swept clean at the end
//!  ├─ efficiency  ── Fleet of worker processes ── Evidence (the witness, or the records)
//!  ├─ faults      ── the same, killed, paused, restarted and cut off
//!  └─ consistency ── two counter processes on one entry
//! ```

mod celery;
mod claim;
mod consistency;
mod drill;
mod efficiency;
mod evidence;
mod faults;
mod fleet;
mod folder;
mod node;
mod page;
mod parent;
mod place;
mod plan;
mod processors;
mod report;
mod site;
mod tell;
mod tidy;
mod work;

pub use celery::{CeleryKill, CeleryReport, Interpreter};
pub use consistency::{Consistency, Sum};
pub use efficiency::{Efficiency, Limit, Run, Series};
pub use faults::{Fault, Faults, Round, Skipped};
pub use node::node;
pub use page::html;
pub use parent::{is_of_verification, while_parent_lives};
pub use plan::{Measure, NodeCommand, Nodes, OwnTask, Plan, Progress, Urls, Work};
pub use report::Report;
pub use site::{Site, verify};
pub use tell::{Chapter, Figure, Plot, chapters};
