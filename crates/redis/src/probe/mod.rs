//! What a doctor asks of a Redis server, in a beginner's order. Each step has a limit, and nothing is written.
//!
//! ```text
//! rounds ─► reach       is it running, do address and port agree     surroundings, neighbours: where else it may be
//!        ─► hello       do both sides speak the same                  (TLS, another service, protected mode)
//!        ─► entrance    version, login, database
//!        ─► condition   what loses tasks, memory, disk, clock
//!        ─► company     workers in other databases, workers of Celery
//! ```

mod company;
mod condition;
mod entrance;
mod hello;
mod line;
mod neighbours;
mod reach;
mod rounds;
mod surroundings;

pub use rounds::{Holds, probe};
pub use surroundings::Surroundings;
