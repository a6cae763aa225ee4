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
