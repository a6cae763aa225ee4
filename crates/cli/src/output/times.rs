use cardoon_core::Timestamp;
use jiff::tz::TimeZone;

/// For people: the local date and time.
pub(crate) fn local_time(time: Timestamp) -> String {
    match jiff::Timestamp::from_millisecond(time.0) {
        Ok(time) => time.to_zoned_datetime(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string(),
        Err(_) => time.to_string(),
    }
}
