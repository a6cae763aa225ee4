//! Sends periodic tasks: `cardoon beat`, and beside a worker.
//!
//! ```text
//!  application's schedule ─► Periodic ─► Planner (no I/O) ── due ticks ─► Sender ─► broker
//!                                           ▲                               │
//!                     file of past ticks ───┘◄───────── ticks sent ─────────┘
//! ```

mod options;

#[cfg(target_os = "linux")]
mod beside;
#[cfg(target_os = "linux")]
mod call;
#[cfg(target_os = "linux")]
mod claims;
#[cfg(target_os = "linux")]
mod command;
#[cfg(target_os = "linux")]
mod list;
#[cfg(target_os = "linux")]
mod past;
#[cfg(target_os = "linux")]
mod periodic;
mod said;
#[cfg(target_os = "linux")]
mod sender;
#[cfg(target_os = "linux")]
mod service;

#[cfg(target_os = "linux")]
pub(super) use beside::Beside;
#[cfg(target_os = "linux")]
pub(super) use command::run;
pub(super) use options::{BesideOptions, Options, needs_application};
pub(super) use said::Said;

#[cfg(not(target_os = "linux"))]
pub(super) async fn run(
    _session: &crate::session::Session,
    _options: &Options,
) -> cardoon_errors::Result<crate::exit::Exit> {
    use cardoon_errors::{Code, Error};
    Err(Error::new(Code::NoPythonWorker, "the schedules of Python applications are sent on Linux only")
        .hint("run the scheduler on Linux or in WSL"))
}
