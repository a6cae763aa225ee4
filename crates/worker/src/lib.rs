//! The worker: takes deliveries, runs tasks in its slots, and gives each delivery one verdict.
//!
//! ```text
//!  broker ─► claimer ─► engine (no I/O) ─► executors: tokio, threads, processes, children of another language
//!                          │    ▲  │             │
//!  broker ◄─ settler ◄─────┘    │  └─ ends ◄─────┘
//!                               └─ heartbeat thread, revokes, timers, drain
//! ```
//!
//! [`engine`] decides; everything around it carries out. The engine and its services run on a thread of their
//! own, so that user code which blocks its runtime stops neither leases nor time limits.

mod builder;
mod claimer;
mod context;
mod definition;
mod directory;
mod driver;
mod error;
mod events;
mod executors;
mod gate;
mod heartbeat;
mod inbox;
mod intake;
mod orders;
mod progress;
mod registrar;
mod report;
mod retrying;
mod revokes;
mod settler;
mod states;
mod sweeper;
#[cfg(not(feature = "opentelemetry"))]
mod trace;
mod worker;

pub mod engine;
#[cfg(feature = "opentelemetry")]
pub mod trace;

pub use builder::{DEFAULT_CHILD_START, DEFAULT_GRACE, WorkerBuilder};
pub use context::{CancelReason, ContextParts, ProgressSink, TaskContext};
pub use definition::{
    AckMode, AsyncHandler, BlockingHandler, BoxFuture, ChildTask, Handler, Isolation, Lane, TaskDefinition,
    TaskOptions, TaskResult,
};
pub use error::TaskError;
pub use executors::is_child;
pub use states::{StateNeed, States};
pub use worker::{Worker, WorkerExit, WorkerHandle};
