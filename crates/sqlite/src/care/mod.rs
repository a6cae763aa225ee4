//! Looking after a database file beside the workers that use it: check, backup, and giving space back.
//!
//! Everything here blocks, opens a connection of its own, and never makes a database.

mod backup;
mod check;
mod existing;
mod room;
mod rules;
mod sizes;
mod vacuum;

pub use backup::{BackupReport, backup};
pub use check::{CheckReport, Finding, Messages, check};
pub use sizes::Sizes;
pub use vacuum::{Space, VacuumReport, vacuum};
