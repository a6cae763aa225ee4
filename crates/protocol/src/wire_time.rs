//! `eta` and `expires` as the wire has them: ISO 8601. Without an offset they are UTC.

use cardoon_core::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// The text of `time` as Python writes it, microseconds included unless they are 0. `None` if it is outside of the
/// years -9999 to 9999.
pub(crate) fn write(time: Timestamp) -> Option<String> {
    jiff::Timestamp::from_millisecond(time.0).ok().map(text)
}

/// The text of a time that is given in seconds and nanoseconds since 1970.
pub(crate) fn precise(secs: i64, nanos: u32) -> Option<String> {
    jiff::Timestamp::new(secs, nanos.try_into().ok()?).ok().map(text)
}

fn text(time: jiff::Timestamp) -> String {
    let time = TimeZone::UTC.to_datetime(time);
    let digits = if time.subsec_nanosecond() == 0 { 0 } else { 6 };
    format!("{time:.digits$}+00:00")
}

pub(crate) fn read(text: &str) -> Result<Timestamp, jiff::Error> {
    let time = match text.parse::<jiff::Timestamp>() {
        Ok(time) => time,
        Err(_) => TimeZone::UTC.to_timestamp(text.parse::<DateTime>()?)?,
    };
    Ok(Timestamp(time.as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_reads_as_it_was_written() {
        for millis in [0, -1, 1_700_000_000_123, 4_000_000_000_000] {
            assert_eq!(read(&write(Timestamp(millis)).unwrap()).unwrap(), Timestamp(millis));
        }
        assert_eq!(write(Timestamp(1_700_000_000_120)).unwrap(), "2023-11-14T22:13:20.120000+00:00");
        assert_eq!(write(Timestamp(i64::MAX)), None);
    }

    #[test]
    fn offsets_count_and_a_missing_one_is_utc() {
        let utc = read("2031-05-06T07:08:09.123456+00:00").unwrap();
        assert_eq!(read("2031-05-06T09:08:09.123456+02:00").unwrap(), utc);
        assert_eq!(read("2031-05-06T07:08:09.123456").unwrap(), utc);
        assert_eq!(read("2031-05-06 07:08:09.123456Z").unwrap(), utc);
        assert!(read("tomorrow").is_err());
    }
}
