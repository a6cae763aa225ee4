//! The engine: events and the time in, commands out. It never waits, locks or does I/O.
//!
//! ```text
//!                    ┌─ waiting for its time (≤ 2 s) ─┐
//!  claimed ─ judged ─┼─ being looked up ──────────────┼─ buffered ─ registering ─ acknowledging ─ running ─┐
//!                    │                                └──────┬──── (a slot) ──── (early only) ───────┬─────┤
//!                    └─ closed without a run                 └─ handed back                          │     │
//!                              └───────────────────────────────────┴──────────► settling ◄───────────┘     │
//!                                                                    written off: the late end is ignored ◄┘
//! ```
//!
//! Each claimed delivery gets exactly one final verdict, whatever happens: see the properties in `tests.rs`.

mod alarms;
mod close;
mod end;
mod folds;
mod held;
mod port;
mod rate;
mod refusal;
mod report;
mod scale;
mod shutdown;
mod slots;
mod start;
mod state;
mod tries;
mod verdict;

#[cfg(test)]
mod tests;

pub use port::{Answer, Arrival, Command, Config, Content, Event, KnownTask, Now, Outcome, Start, Ticket};
pub use state::Engine;
