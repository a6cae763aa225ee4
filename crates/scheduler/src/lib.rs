//! Periodic tasks: what is due, and when to look again.
//!
//! ```text
//!  now, ticks sent so far ─► Planner ─► ticks that are due ─► tick_id ─► sent by the caller
//!                                   └─► when to wake up
//! ```
//!
//! Nothing here reads a clock or does I/O, but for [`Zone::named`], which looks a time zone up. Ticks depend on a
//! schedule, a time zone and the time alone, and the id of the task that a tick sends is derived from the tick. So
//! several schedulers, and one that is started again, agree without a state that they share.

mod calendar;
mod crontab;
mod crontab_fields;
mod entry;
mod expression;
mod field;
mod interval;
mod planner;
mod schedule;
mod tick_id;
mod values;
mod zone;

pub use crontab::Crontab;
pub use crontab_fields::CrontabFields;
pub use entry::{CatchUp, Entry, LATE_MAX};
pub use interval::Interval;
pub use planner::{Due, Plan, Planner};
pub use schedule::Schedule;
pub use tick_id::tick_id;
pub use zone::Zone;
