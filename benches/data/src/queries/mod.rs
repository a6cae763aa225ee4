//! What is asked: queries over logs, and those of TPC-H.

mod logs;
mod query;
mod tpch;

pub(crate) use self::logs::QUERIES as LOGS;
pub(crate) use self::query::{Kind, Query, quoted};
pub(crate) use self::tpch::QUERIES as TPCH;
