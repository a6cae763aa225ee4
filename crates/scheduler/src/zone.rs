//! Time zones.

use cardoon_core::Timestamp;
use cardoon_errors::{Code, Error, Result};
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};

/// A time zone of the IANA database, whose clocks crontabs are compared with. UTC by default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone(TimeZone);

impl Zone {
    pub fn utc() -> Self {
        Self(TimeZone::UTC)
    }

    /// Looks a name such as `Europe/Berlin` up: in the system's database, or, if there is none, in the one that is
    /// compiled in. `BadSetting` if no zone has this name.
    pub fn named(name: &str) -> Result<Self> {
        TimeZone::get(name).map(Self).map_err(|error| {
            let message = format!("cannot read `{}` for time zone", name.escape_debug());
            Error::new(Code::BadSetting, message)
                .checked("accepted: a name of the IANA database, as in \"Europe/Berlin\" or \"UTC\"")
                .source(error)
        })
    }

    /// The name in the IANA database.
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// What clocks show at `time`, for people.
    pub fn show(&self, time: Timestamp) -> String {
        match self.local(time) {
            Some(local) => local.strftime("%Y-%m-%d %H:%M:%S").to_string(),
            None => time.to_string(),
        }
    }

    /// What clocks show at `time`; `None` outside the years -9999 to 9999.
    pub(crate) fn local(&self, time: Timestamp) -> Option<DateTime> {
        jiff::Timestamp::from_millisecond(time.0).ok().map(|time| self.0.to_datetime(time))
    }

    /// When clocks show `local`, for the first time if they do so twice; `None` if they never do.
    pub(crate) fn first_instant(&self, local: DateTime) -> Option<Timestamp> {
        let offset = match self.0.to_ambiguous_timestamp(local).offset() {
            AmbiguousOffset::Unambiguous { offset } => offset,
            AmbiguousOffset::Fold { before, .. } => before,
            AmbiguousOffset::Gap { .. } => return None,
        };
        offset.to_timestamp(local).ok().map(|time| Timestamp(time.as_millisecond()))
    }
}

impl Default for Zone {
    fn default() -> Self {
        Self::utc()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_shown_as_clocks_do() {
        let berlin = Zone::named("Europe/Berlin").unwrap();
        assert_eq!(berlin.show(Timestamp(1_767_225_600_000)), "2026-01-01 01:00:00");
        assert_eq!(berlin.show(Timestamp(i64::MAX)), format!("{} ms", i64::MAX));
    }

    #[test]
    fn zones_are_found_by_name() {
        assert_eq!(Zone::named("Europe/Berlin").unwrap().name(), "Europe/Berlin");
        assert_eq!(Zone::named("UTC").unwrap().name(), "UTC");
        assert_eq!(Zone::default().name(), "UTC");
        for name in ["", "Europe/Berlln", "../etc/passwd"] {
            assert_eq!(Zone::named(name).unwrap_err().code(), Code::BadSetting, "{name}");
        }
    }
}
