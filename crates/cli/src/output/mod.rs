//! The data that a command prints: tables for people, JSON for programs.

mod format;
mod table;
mod text;
mod times;

pub(crate) use format::{Format, Output, json_text};
pub(crate) use table::Table;
pub(crate) use text::{clean, cut};
pub(crate) use times::{ago, local_time, rfc3339};
