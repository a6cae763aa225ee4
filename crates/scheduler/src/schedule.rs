//! When a periodic task is sent.

use std::time::Duration;

use cardoon_core::Timestamp;
use cardoon_errors::Result;
use serde::{Deserialize, Serialize};

use crate::{Crontab, Interval, Zone};

/// The rule by which ticks follow each other.
///
/// Serialised as `{"every": 30.0}`, in seconds, or `{"crontab": {"minute": "*/5", …}}`; what is read may also be
/// `{"crontab": "*/5 * * * *"}`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Schedule {
    #[serde(rename = "every")]
    Interval(Interval),
    #[serde(rename = "crontab")]
    Crontab(Crontab),
}

impl Schedule {
    /// Ticks that are `every` apart. Errors as [`Interval::new`].
    pub fn every(every: Duration) -> Result<Self> {
        Interval::new(every).map(Self::Interval)
    }

    /// Ticks by the calendar, from five fields in the order of Unix. Errors as [`Crontab::parse`].
    pub fn crontab(text: &str) -> Result<Self> {
        Crontab::parse(text).map(Self::Crontab)
    }

    /// The first tick strictly after `last`, in milliseconds; `None` if none comes. Intervals take no notice of `zone`;
    /// [`Crontab`] says what daylight saving does.
    pub fn next_after(&self, last: Timestamp, zone: &Zone) -> Option<Timestamp> {
        match self {
            Self::Interval(interval) => interval.next_after(last),
            Self::Crontab(crontab) => crontab.next_after(last, zone),
        }
    }

    /// The ticks after `last`, one after the other.
    pub fn ticks_after(&self, last: Timestamp, zone: &Zone) -> impl Iterator<Item = Timestamp> {
        std::iter::successors(self.next_after(last, zone), |tick| self.next_after(*tick, zone))
    }

    /// The latest tick after `after` and not after `until`, however many there were.
    pub fn latest_between(&self, after: Timestamp, until: Timestamp, zone: &Zone) -> Option<Timestamp> {
        let next = |last: i64| self.next_after(Timestamp(last), zone).filter(|tick| *tick <= until);
        let mut latest = next(after.0)?;
        // The next tick never moves back while the time goes on, so the last time that still has one can be bisected.
        let mut beyond = until.0;
        while latest.0 < beyond {
            let middle = latest.0.saturating_add_unsigned(beyond.abs_diff(latest.0) / 2);
            match next(middle) {
                Some(tick) => latest = tick,
                None => beyond = middle,
            }
        }
        Some(latest)
    }
}

impl From<Interval> for Schedule {
    fn from(interval: Interval) -> Self {
        Self::Interval(interval)
    }
}

impl From<Crontab> for Schedule {
    fn from(crontab: Crontab) -> Self {
        Self::Crontab(crontab)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Schedule, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn schedules_are_read_and_written_as_json() {
        let json = r#"{"every":30.0}"#;
        assert_eq!(read(json).unwrap(), Schedule::every(Duration::from_secs(30)).unwrap());
        assert_eq!(serde_json::to_string(&read(json).unwrap()).unwrap(), json);
        assert_eq!(read(r#"{"every": 30}"#), read(json));

        let json = r#"{"crontab":{"minute":"*/5","hour":"*","day_of_week":"mon-fri","#.to_owned()
            + r#""day_of_month":"*","month_of_year":"*"}}"#;
        assert_eq!(read(&json).unwrap(), Schedule::crontab("*/5 * * * mon-fri").unwrap());
        assert_eq!(serde_json::to_string(&read(&json).unwrap()).unwrap(), json);
    }

    #[test]
    fn a_crontab_may_be_a_line_and_its_fields_numbers_lists_or_left_out() {
        let expected = Schedule::crontab("0 8,20 * * *").unwrap();
        assert_eq!(read(r#"{"crontab": "0 8,20 * * *"}"#).unwrap(), expected);
        assert_eq!(read(r#"{"crontab": {"minute": 0, "hour": [8, 20]}}"#).unwrap(), expected);
    }

    #[test]
    fn what_cannot_be_read_is_refused_with_the_reason() {
        let refusals = [
            (r#"{"every": 0}"#, "cannot read `0ns` for every"),
            (r#"{"every": -1.5}"#, "cannot read `-1.5s` for every"),
            (r#"{"crontab": {"minute": "61"}}"#, "cannot read `61` for minute"),
            (r#"{"crontab": {"minute": -1}}"#, "cannot read `-1` for minute"),
            (r#"{"crontab": {"minute": []}}"#, "cannot read `` for minute"),
            (r#"{"crontab": {"minute": true}}"#, "a crontab expression, a number or a list of numbers"),
            (r#"{"crontab": {"second": "0"}}"#, "unknown field `second`"),
            (r#"{"crontab": {"day_of_month": 30, "month_of_year": "feb"}}"#, "never comes"),
            (r#"{"crontab": 5}"#, "the fields of a crontab, or their text"),
            (r#"{"hourly": 1}"#, "unknown variant `hourly`"),
        ];
        for (json, reason) in refusals {
            let error = read(json).unwrap_err();
            assert!(error.contains(reason), "{json}: {error}");
        }
    }

    #[test]
    fn ticks_follow_each_other() {
        let hourly = Schedule::crontab("0 * * * *").unwrap();
        let ticks: Vec<_> =
            hourly.ticks_after(Timestamp(1), &Zone::utc()).take(3).map(|tick| tick.0).collect();
        assert_eq!(ticks, [3_600_000, 7_200_000, 10_800_000]);
        let once = Schedule::every(Duration::from_millis(1)).unwrap();
        assert_eq!(once.ticks_after(Timestamp(i64::MAX - 2), &Zone::utc()).count(), 2);
    }

    #[test]
    fn the_latest_of_many_ticks_is_found() {
        let every = |ms| Schedule::every(Duration::from_millis(ms)).unwrap();
        let latest = |schedule: &Schedule, after, until| {
            let tick = schedule.latest_between(Timestamp(after), Timestamp(until), &Zone::utc());
            tick.map(|tick| tick.0)
        };
        assert_eq!(latest(&every(10), 0, 9), None);
        assert_eq!(latest(&every(10), 0, 10), Some(10));
        assert_eq!(latest(&every(10), 0, 1_000_000_000_009), Some(1_000_000_000_000));
        assert_eq!(latest(&every(10), -95, -5), Some(-10));
        assert_eq!(latest(&every(1), i64::MIN + 1, i64::MAX), Some(i64::MAX));
        assert_eq!(latest(&every(10), 50, 20), None);
        let newest_year = Schedule::crontab("0 0 1 1 *").unwrap();
        assert_eq!(latest(&newest_year, 0, 1_795_855_212_000), Some(1_767_225_600_000));
    }
}
