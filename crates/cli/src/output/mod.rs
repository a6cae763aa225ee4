//! The data that a command prints: tables for people, JSON for programs.

mod format;
mod table;
mod text;
mod times;
mod words;

pub(crate) use format::{Format, Output, json_text};
pub(crate) use table::Table;
pub(crate) use text::{clean, cut, shell_word};
pub(crate) use times::{ago, local_time, rfc3339};
pub(crate) use words::{labelled, word};
