//! Passive data and pure rules: what the other crates agree on.
//!
//! Nothing here does I/O, reads a clock or draws a random number. The rules of a delivery's life
//! ([`lease`], [`run`], [`rescue`], [`settle`]) stand here once; every adapter applies them to the rows,
//! keys or messages that its store holds. `docs/concepts/life-of-a-task.md` draws their state machine.

mod event;
mod id;
mod list;
mod message;
mod result;
mod retry;
mod signature;
mod state;
mod time;
mod trace;

pub mod lease;
pub mod rescue;
pub mod run;
pub mod settle;

pub use event::{Event, EventKind};
pub use id::{IdError, QueueName, TaskId};
pub use lease::Lease;
pub use list::{Page, Position, TaskFilter};
pub use message::{DEFAULT_MAX_MESSAGE_BYTES, Message, Priority};
pub use result::{DeadReason, Progress, ResultRecord, TaskFailure};
pub use retry::{NextStep, RetryHint, RetryOn, RetryPolicy};
pub use run::RunNumber;
pub use signature::{Signature, SignatureOptions};
pub use state::TaskState;
pub use time::{BootInstant, Timestamp};
pub use trace::TraceContext;

/// The version of Cardoon that this is.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
