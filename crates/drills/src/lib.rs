//! Drills: start real processes, kill and pause them, and count what became of their tasks.
//!
//! The demo, the fault tests and the command `verify` are made of the same parts.

mod process;
mod proxy;
mod smtp;
mod witness;

pub mod demo;
pub mod verify;

pub use process::WorkerProcess;
pub use proxy::{FaultProxy, Flow, Line};
pub use smtp::{MailCount, SmtpSink};
pub use witness::{Entry, Executions, Moment, Testimony, Witness};
