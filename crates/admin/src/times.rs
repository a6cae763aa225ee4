//! Points and lengths of time in words.

use std::time::Duration;

use cardoon_core::Timestamp;
use cardoon_settings::show_duration;

/// For programs: RFC 3339 in UTC, to the millisecond.
pub fn rfc3339(time: Timestamp) -> String {
    match jiff::Timestamp::from_millisecond(time.0) {
        Ok(time) => format!("{time:.3}"),
        Err(_) => time.to_string(),
    }
}

/// For people: a length of time, rounded to what matters.
pub fn ago(duration: Duration) -> String {
    let coarse = match duration.as_secs() {
        0 => duration,
        secs @ 1..3600 => Duration::from_secs(secs),
        secs @ 3600..86_400 => Duration::from_secs(secs / 60 * 60),
        secs => Duration::from_secs(secs / 3600 * 3600),
    };
    show_duration(coarse)
}
