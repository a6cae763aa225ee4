//! Runs the engine's plans on several processes and machines, with Ballista as a library.
//!
//! ```text
//! Engine ─ plan ─► Client ─────────► Scheduler ◄── asks for work ── Executor ─► reads files
//!                    ▲                   │ cuts the plan into stages     │
//!                    │                   └ finds out who is lost         ▼
//!                    └────────── fetches the rows of the last stage ── shuffle files
//! ```
//!
//! The plan is made where the query is asked; the scheduler cuts it where rows must change hands, and executors ask it for
//! work. What a stage has produced lies in files of the executor that made it, and goes with it. So if an executor is lost
//! before the client has fetched all rows, the client asks the whole query again.

mod access;
mod address;
mod client;
mod codec;
mod executor;
mod folder;
mod joins;
mod limits;
mod scheduler;
mod state;

pub use access::{Token, may_run_functions};
pub use address::Address;
pub use client::Client;
pub use executor::{Executor, ExecutorSettings};
pub use folder::private_folder;
pub use scheduler::{Scheduler, SchedulerSettings};
pub use state::{ExecutorState, JobState, StageState, State};
