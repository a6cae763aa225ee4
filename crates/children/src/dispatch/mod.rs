//! Which child runs which call: events in, commands out, no I/O.
//!
//! ```text
//!  submit ─► line ─────────► a child that is idle, or one that is through with short calls soon ─► ended
//!              ▲                     │
//!              ├── recalled ◄────────┤ its call takes longer than thought, or it retires
//!              └── unstarted ◄───────┘ it died: only what ran is told that
//! ```
//!
//! Of each call one end is told, whatever children do: see the properties in `tests.rs`.

mod desk;
mod dispatcher;
mod force;
mod pace;
mod recall;

#[cfg(test)]
mod tests;

pub use dispatcher::{Care, Command, Dispatcher, End, Event, Kind, Shape};

/// The dispatcher's own name for a child, never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChildId(pub u64);
