//! Fault drills: real worker processes are killed, paused, starved and misled, and an independent witness counts.
//!
//! Each drill in [`drills`] returns an [`Outcome`]. The test binary `tests/faults.rs` runs a few seeded rounds of
//! each; `cargo run --release -p cardoon-faults -- soak` runs the full counts and prints the table of
//! `docs/reliability.md`. Bugs that a drill has to notice are planted by [`rig`] in the drill's own workers,
//! never by a switch in the product.

mod lab;
mod outcome;
mod rig;
mod spec;
mod stage;
mod tasks;
mod worker;

pub mod drills;
pub mod helpers;

pub use lab::Lab;
pub use outcome::Outcome;
pub use rig::{Act, Plant, Step, Trap};
pub use spec::WorkerSpec;
pub use stage::{Stage, StoreKind};
pub use worker::serve;
