//! Schedules of a fixed length.

use std::time::Duration;

use cardoon_core::Timestamp;
use cardoon_errors::{Code, Error, Result};
use serde::{Deserialize, Serialize};

const LENGTH_MS_MAX: i64 = 36_500 * 86_400_000;

/// Ticks on the multiples of a length, counted from the beginning of 1970 in UTC.
///
/// Two schedulers, and one that is started again, so agree on the ticks without having to know of each other: every
/// 30 s is at second 0 and 30 of each minute. A day begins at midnight UTC, seven days on a Thursday, and a length that
/// does not divide the day is at other times each day. Time zones and daylight saving change nothing. Celery counts
/// from the start of its scheduler instead.
///
/// Serialised as a number of seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Interval {
    length_ms: i64,
}

impl Interval {
    /// Ticks that are `every` apart. `BadSetting` unless it is a whole number of milliseconds, from 1 ms to
    /// 36 500 days.
    pub fn new(every: Duration) -> Result<Self> {
        let whole = every.subsec_nanos().is_multiple_of(1_000_000);
        let length_ms = i64::try_from(every.as_millis()).ok().filter(|_| whole);
        match length_ms.filter(|length| (1..=LENGTH_MS_MAX).contains(length)) {
            Some(length_ms) => Ok(Self { length_ms }),
            None => Err(unreadable(&format!("{every:?}"))),
        }
    }

    /// The time between two ticks.
    pub fn every(self) -> Duration {
        Duration::from_millis(self.length_ms as u64)
    }

    /// The first tick strictly after `last`; `None` at the end of time.
    pub fn next_after(self, last: Timestamp) -> Option<Timestamp> {
        let ticks = last.0.div_euclid(self.length_ms);
        ticks.checked_add(1)?.checked_mul(self.length_ms).map(Timestamp)
    }
}

impl TryFrom<f64> for Interval {
    type Error = String;

    /// From seconds.
    fn try_from(seconds: f64) -> Result<Self, String> {
        let interval = match Duration::try_from_secs_f64(seconds) {
            Ok(every) => Self::new(every),
            Err(_) => Err(unreadable(&format!("{seconds}s"))),
        };
        interval.map_err(|error| error.message().to_owned())
    }
}

/// In seconds.
impl From<Interval> for f64 {
    fn from(interval: Interval) -> Self {
        interval.every().as_secs_f64()
    }
}

fn unreadable(every: &str) -> Error {
    let message =
        format!("cannot read `{every}` for every: it is not a whole number of ms from 1 ms to 36500 days");
    Error::new(Code::BadSetting, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(every_ms: u64, last: i64) -> Option<i64> {
        Interval::new(Duration::from_millis(every_ms)).unwrap().next_after(Timestamp(last)).map(|tick| tick.0)
    }

    #[test]
    fn ticks_are_multiples_of_the_length_and_strictly_later() {
        assert_eq!(next(30_000, 0), Some(30_000));
        assert_eq!(next(30_000, 29_999), Some(30_000));
        assert_eq!(next(30_000, 30_000), Some(60_000));
        assert_eq!(next(7, -1), Some(0));
        assert_eq!(next(7, -7), Some(0));
        assert_eq!(next(7, -8), Some(-7));
    }

    #[test]
    fn the_end_of_time_has_no_next_tick() {
        assert_eq!(next(1, i64::MAX), None);
        assert_eq!(next(1000, i64::MAX), None);
        assert!(next(1000, i64::MIN).is_some());
    }

    #[test]
    fn lengths_outside_the_range_are_refused() {
        let refused = [
            Duration::ZERO,
            Duration::from_micros(1500),
            Duration::from_nanos(1),
            Duration::from_hours(24) * 36_501,
            Duration::MAX,
        ];
        for every in refused {
            let error = Interval::new(every).unwrap_err();
            assert_eq!(error.code(), Code::BadSetting);
        }
        for seconds in [f64::NAN, -1.0, 0.0, 1e300, 0.0001] {
            assert!(Interval::try_from(seconds).is_err(), "{seconds}");
        }
        assert_eq!(Interval::try_from(0.1).unwrap().every(), Duration::from_millis(100));
        assert_eq!(Interval::try_from(86_400.001).unwrap().every(), Duration::from_millis(86_400_001));
    }
}
