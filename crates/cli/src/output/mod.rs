//! The data that a command prints: tables for people, JSON for programs.

mod format;
mod table;
mod times;
mod words;

pub(crate) use cardoon_admin::text::{clean, cut, shell_word};
pub(crate) use cardoon_admin::times::{ago, rfc3339};
pub(crate) use format::{Format, Output, json_text};
pub(crate) use table::Table;
pub(crate) use times::local_time;
pub(crate) use words::{labelled, word};
