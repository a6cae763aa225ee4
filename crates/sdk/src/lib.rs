//! Distributed tasks that are not lost.
//!
//! A task is a function that runs later, or elsewhere. A program sends it; a worker, usually another process, executes it.
//! What was sent waits in a store, by default one SQLite file, so there is no server to install, and it survives the
//! death of any process.
//!
//! # Quickstart
//!
//! ```
//! use std::time::Duration;
//!
//! use cardoon::prelude::*;
//!
//! #[cardoon::task]
//! async fn add(x: i64, y: i64) -> i64 {
//!     x + y
//! }
//!
//! #[tokio::main]
//! async fn main() -> cardoon::Result<()> {
//!     # let folder = tempfile::tempdir().unwrap();
//!     # let url = format!("sqlite:{}", folder.path().join("tasks.db").display());
//!     # let url = url.as_str();
//!     # stringify! {
//!     let url = "sqlite:tasks.db";
//!     # };
//!     let app = App::connect(url).await?;
//!
//!     // Send: from now on the task is safe, whether or not a worker is there.
//!     let handle = app.send(add::signature(2, 3)).await?;
//!
//!     // Work: usually in a program of its own, that ends with `.run()` and stops on SIGTERM.
//!     let result = async { handle.wait(Duration::from_secs(30)).await };
//!     let mut sum = None;
//!     Worker::builder(&app).task::<add>().run_until(async { sum = Some(result.await) }).await?;
//!
//!     assert_eq!(sum.unwrap()?, 5);
//!     Ok(())
//! }
//! ```
//!
//! # Where to go on
//!
//! * [`#[cardoon::task]`](macro@task): arguments, results, failures, retries, limits.
//! * [`App`] sends; a [`TypedSignature`] says when, where to and how urgently; a [`TaskHandle`] waits for the result.
//! * [`Worker`] executes. [`State`] hands it your connection pools, [`TaskContext`] tells a task about itself.
//! * [`testing`] runs tasks at once, without a store, for your own tests.
//!
//! # What is promised
//!
//! A task that [`App::send`] acknowledged is executed *at least once*, unless it expires, is revoked or goes to the dead
//! letters, and then its record says so. At least once means that it may be executed again when a worker dies at the wrong
//! moment, so make the effects of a task safe to repeat: its [`id`](TaskContext::id) is the same for all executions, and
//! the [run number](TaskContext::run) grows with each.
#![warn(missing_docs)]

// The attribute writes `::cardoon::…`, here too.
extern crate self as cardoon;

mod app;
#[cfg(doctest)]
mod documents;
mod failure;
mod handle;
mod sending;
mod signals;
mod signature;
mod state;
mod task;
mod worker;

pub mod builtin;
pub mod prelude;
pub mod testing;
#[cfg(feature = "opentelemetry")]
pub mod trace;

#[cfg(doctest)]
mod refused;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;

pub use app::{App, AppBuilder};
pub use cardoon_broker::Revoked;
pub use cardoon_connect::Stores;
pub use cardoon_core::lease::LeaseTerms;
pub use cardoon_core::{
    Priority, Progress, QueueName, ResultRecord, RetryHint, RetryOn, RetryPolicy, RunNumber, Signature,
    SignatureOptions, TaskFailure, TaskId, TaskState, Timestamp, TraceContext,
};
pub use cardoon_errors::{Applied, Code, Error, Kind, Result};
pub use cardoon_protocol::Limits;
pub use cardoon_settings::{Settings, Sources};
pub use cardoon_worker::{
    AckMode, CancelReason, Isolation, TaskContext, TaskDefinition, TaskError, TaskOptions, WorkerExit,
    WorkerHandle,
};
pub use failure::ErrorExt;
pub use handle::TaskHandle;
pub use signature::TypedSignature;
pub use state::State;
pub use task::Task;
pub use worker::{Worker, WorkerBuilder};

/// Makes a function a task.
///
/// The function stays as it is and can be called. Beside it, under the same name, stands a type that implements [`Task`]:
/// `add::signature(2, 3)` is a call that can be sent, and `.task::<add>()` gives the task to a worker.
///
/// ```
/// use cardoon::prelude::*;
///
/// #[cardoon::task(queue = "mail", retries = 5, retry_on = ["io::Error"], time_limit = "60s")]
/// async fn copy(ctx: &TaskContext, from: String, to: String) -> Result<u64, std::io::Error> {
///     ctx.progress(0, None, "copying");
///     std::fs::copy(from, to)
/// }
///
/// assert_eq!(copy::NAME, "copy");
/// let call = copy::signature("a.txt".into(), "b.txt".into());
/// ```
///
/// # The function
///
/// * `async` functions run on the tokio runtime of the worker; others block a thread of their own.
/// * Arguments are owned values that [serde] writes and reads; they travel as JSON. An `Option` may be left out by callers
///   that name their arguments.
/// * A parameter of type [`TaskContext`] or `&TaskContext` is the context of the run, and one of type [`State<T>`] a value
///   that the worker was given. Neither is an argument of the call.
/// * It returns a value that serde writes, nothing, or a `Result`. A type counts as a `Result` if its name is `Result`:
///   `std::io::Result<T>` and `anyhow::Result<T>` do.
///
/// # Failures
///
/// A task fails when it returns `Err` or panics. The error may be any that implements [`std::error::Error`], a
/// [`TaskError`], which can also ask for a retry or forbid one, an `anyhow::Error`, or a text. A failed attempt is repeated
/// 3 times, after pauses that double from 1 s; then the task has failed and its message goes to the dead letters.
///
/// ```
/// use std::time::Duration;
///
/// use cardoon::TaskError;
///
/// #[cardoon::task(retries = 10)]
/// async fn fetch(url: String) -> Result<String, TaskError> {
///     match url.as_str() {
///         "busy" => Err(TaskError::retry_in(Duration::from_secs(30), "the server is busy")),
///         "gone" => Err(TaskError::fatal("Gone", "another attempt would not help")),
///         url => Ok(std::fs::read_to_string(url)?),
///     }
/// }
/// ```
///
/// # Options
///
/// | option | meaning | default |
/// |---|---|---|
/// | `name = "mail.send"` | the name that messages carry | the function's name |
/// | `queue = "mail"` | where it is sent to | `celery` |
/// | `priority = 9` | 0 to 9, and 9 is the most urgent | 4 |
/// | `expires = "1h"` | how long after sending it may still start | for ever |
/// | `retries = 5` | attempts after the first one | 3 |
/// | `retry_on = ["io::Error"]` | the only kinds of errors to retry; a kind is a type's path or its last segments | all |
/// | `retry_except = ["ParseIntError"]` | the kinds not to retry | none |
/// | `retry_delay = "5s"` | the pause before the first retry; it doubles each time | 1 s |
/// | `retry_cap = "1h"` | no pause is longer | 10 min |
/// | `retry_jitter = false` | draw each pause between zero and its length | `true` |
/// | `soft_time_limit = "30s"` | after this time of a run [`TaskContext::cancelled`] fires | none |
/// | `time_limit = "60s"` | after this time of a run it is ended | none |
/// | `ack = "early"` | acknowledge before it runs: then it runs at most once, and may be lost with its worker | `"late"` |
/// | `isolate = "process"` | run it in a child process, which can be killed | `"none"` |
/// | `ignore_result` | drop what it returns | keep it |
///
/// Times are whole numbers with `ms`, `s`, `m`, `h` or `d`. What a [`TypedSignature`] says goes before these options.
///
/// # Names
///
/// The name does not hold the path of the module, so a function can move without orphaning messages that wait. Before you
/// rename one, write its old name into `name`. Programs that share queues need names that differ.
///
/// [serde]: https://serde.rs
pub use cardoon_macros::task;
