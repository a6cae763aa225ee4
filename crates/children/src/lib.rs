//! Child processes that run a worker's tasks in another language, above all Python.
//!
//! ```text
//!  worker ─► pool ── dispatcher (no I/O): which child, how many, what to give back
//!             │ ▲
//!             ▼ │ frames                     control line
//!          children ◄──────────── forked by a zygote ◄──── pool
//! ```
//!
//! The zygote has the application imported once and is forked, so that a new child costs milliseconds and shares its
//! memory. A child is fed in batches of a size that its calls' run time allows; its death is seen by the kernel's handle
//! of the process and takes only the call with it that ran.

pub mod dispatch;
pub mod frame;

#[cfg(target_os = "linux")]
mod ask;
#[cfg(target_os = "linux")]
mod attendant;
mod call;
#[cfg(target_os = "linux")]
mod child;
mod greeting;
#[cfg(target_os = "linux")]
mod hub;
#[cfg(target_os = "linux")]
mod maker;
#[cfg(unix)]
pub mod note;
mod output;
mod owner;
#[cfg(target_os = "linux")]
mod pool;
#[cfg(target_os = "linux")]
mod printer;
#[cfg(target_os = "linux")]
mod strays;
#[cfg(target_os = "linux")]
mod zygote;

#[cfg(target_os = "linux")]
pub use ask::ask;
pub use call::{Call, Failure, How};
pub use greeting::{Greeting, TaskSpec};
pub use output::MARK;
pub use owner::{Ending, Label, Owner, Printed};
#[cfg(target_os = "linux")]
pub use pool::{Options, Pool, Prepared, StartMethod};
