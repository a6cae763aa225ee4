//! All that was measured, as the part of the page that has it.

mod logs;
mod page;
mod tpch;

pub(crate) use self::logs::Logs;
pub(crate) use self::page::Report;
pub(crate) use self::tpch::Tpch;
