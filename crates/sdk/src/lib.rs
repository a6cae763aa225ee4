//! Distributed tasks that are not lost.
#![warn(missing_docs)]

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

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;

pub use app::{App, AppBuilder};
pub use cardoon_broker::Revoked;
pub use cardoon_connect::Stores;
pub use cardoon_core::{
    Priority, Progress, QueueName, ResultRecord, RetryHint, RetryOn, RetryPolicy, RunNumber, Signature,
    SignatureOptions, TaskFailure, TaskId, TaskState, Timestamp,
};
pub use cardoon_errors::{Applied, Code, Error, Kind, Result};
pub use cardoon_macros::task;
pub use cardoon_settings::Settings;
pub use cardoon_worker::{
    AckMode, CancelReason, Isolation, TaskContext, TaskDefinition, TaskError, TaskOptions, WorkerExit,
};
pub use failure::ErrorExt;
pub use handle::TaskHandle;
pub use signature::TypedSignature;
pub use state::State;
pub use task::Task;
pub use worker::{Worker, WorkerBuilder};
