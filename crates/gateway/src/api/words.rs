//! Values that are written as words: times, lengths of time, names.

use std::time::Duration;

use cardoon_admin::text::cut;
use cardoon_core::Timestamp;
use cardoon_errors::{Code, Error, Result};

/// Items of a page, unless the request says otherwise, and at most.
const USUAL: u32 = 50;
const MOST: u32 = 1000;
/// Longest part of a value that an error repeats.
const SHOWN: usize = 80;

pub(crate) fn bad_request(what: impl Into<String>) -> Error {
    Error::new(Code::BadRequest, what).hint("see /api/v1/openapi.json")
}

/// The size of a page.
pub(crate) fn limit(asked: Option<u32>) -> Result<usize> {
    match asked.unwrap_or(USUAL) {
        limit @ 1..=MOST => Ok(limit as usize),
        other => Err(bad_request(format!("`limit` is {other}; it is 1 to {MOST}"))),
    }
}

pub(super) fn duration(name: &str, text: &str) -> Result<Duration> {
    cardoon_settings::parse_duration(text).map_err(|expected| wrong(name, text, expected))
}

pub(super) fn timestamp(name: &str, text: &str) -> Result<Timestamp> {
    cardoon_admin::input::timestamp(text).map_err(|expected| wrong(name, text, expected))
}

fn wrong(name: &str, text: &str, expected: String) -> Error {
    bad_request(format!("`{name}` is `{}`", cut(text, SHOWN))).checked(expected)
}
