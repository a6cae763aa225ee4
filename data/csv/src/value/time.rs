//! Dates and timestamps as ISO 8601 writes them, in the calendar of today.

use super::int::{pairs, up_to_eight};
use crate::field::Field;

const MICROS_A_DAY: i64 = 86_400_000_000;
const DAYS: [u32; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/// `YYYY-MM-DD` of the years 1 to 9999, in days since 1970-01-01.
#[inline]
pub(crate) fn date(field: Field<'_>) -> Option<i32> {
    if field.len() != 10 {
        return None;
    }
    let pairs = formed(field.eight(), *b"0000-00-")?;
    let (year, month) = (u32::from(pairs[0]) * 100 + u32::from(pairs[2]), u32::from(pairs[5]));
    let day = up_to_eight(field.part(8, 10))? as u32;
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = DAYS.get((month as usize).checked_sub(1)?)? + u32::from(month == 2 && is_leap);
    (year > 0 && 0 < day && day <= days).then(|| days_since_1970(year, month, day))
}

/// `YYYY-MM-DD`, also followed by `T` or a blank and `HH:MM`, `HH:MM:SS` or `HH:MM:SS.f`, in microseconds since
/// 1970-01-01.
#[inline]
pub(crate) fn timestamp(field: Field<'_>) -> Option<i64> {
    let day = i64::from(date(field.part(0, field.len().min(10)))?) * MICROS_A_DAY;
    if field.len() == 10 { Some(day) } else { Some(day + time(field.part(10, field.len()))?) }
}

/// The time, with what stands before it, in microseconds since midnight.
#[inline]
fn time(field: Field<'_>) -> Option<i64> {
    let text = field.text();
    let (form, fraction) = match text.len() {
        6 => (*b"00:00\0\0\0", 0),
        9 => (*b"00:00:00", 0),
        11.. if text[9] == b'.' => (*b"00:00:00", micros(field.part(10, text.len()))?),
        _ => return None,
    };
    // Without seconds, what lies behind the field is none of the time.
    let kept = if text.len() == 6 { u64::MAX >> 24 } else { u64::MAX };
    let pairs = formed(field.part(1, text.len()).eight() & kept, form)?;
    let [hours, minutes, seconds] = [pairs[0], pairs[3], pairs[6]].map(i64::from);
    let is_time = matches!(text[0], b'T' | b' ') && hours < 24 && minutes < 60 && seconds < 60;
    is_time.then_some(((hours * 60 + minutes) * 60 + seconds) * 1_000_000 + fraction)
}

/// Reads all digits at once of eight bytes that have the form `form`, in which a `0` stands for a digit. Where two
/// digits stand, the first one's place has the value of both.
#[inline]
fn formed(bytes: u64, form: [u8; 8]) -> Option<[u8; 8]> {
    let others = u64::from_le_bytes(form.map(|byte| if byte == b'0' { 0 } else { 0xff }));
    let digits = bytes ^ u64::from_le_bytes(form);
    if digits & others == 0 { pairs(digits).map(u64::to_le_bytes) } else { None }
}

/// The digits of a fraction; nothing if it is finer than a microsecond.
#[inline]
fn micros(field: Field<'_>) -> Option<i64> {
    let text = field.text();
    let (digits, finer) = text.split_at(text.len().min(6));
    let scale = 10_i64.pow(6 - digits.len() as u32);
    let micros = up_to_eight(field.part(0, digits.len()))? as i64 * scale;
    finer.iter().all(|digit| *digit == b'0').then_some(micros)
}

/// Years begin with March here, so that the leap day is the last one and months before it have fixed lengths.
#[inline]
fn days_since_1970(year: u32, month: u32, day: u32) -> i32 {
    let (year, month) = if month < 3 { (year - 1, month + 9) } else { (year, month - 3) };
    let in_year = (153 * month + 2) / 5 + day - 1;
    (year * 365 + year / 4 - year / 100 + year / 400 + in_year) as i32 - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(text: &str) -> Option<i32> {
        date(Field::of(text.as_bytes()))
    }

    fn micros_since_1970(text: &str) -> Option<i64> {
        timestamp(Field::of(text.as_bytes()))
    }

    #[test]
    fn every_day_follows_the_one_before() {
        let mut expected = days("0001-01-01").unwrap();
        assert_eq!((expected, days("1970-01-01")), (-719_162, Some(0)));
        for year in 1..=9999_u32 {
            for month in 1..=12_u32 {
                let mut day = 1;
                while let Some(found) = days(&format!("{year:04}-{month:02}-{day:02}")) {
                    assert_eq!(found, expected);
                    expected += 1;
                    day += 1;
                }
                assert!((29..=32).contains(&day), "{year} {month}");
            }
        }
        assert_eq!(days("9999-12-31").map(|last| last + 1), Some(expected));
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "2026-1-01",
            "2026/01/01",
            "2026-00-01",
            "2026-13-01",
            "2026-01-00",
            "1900-02-29",
            "0000-01-01",
            "2026-01-01 ",
            "-026-01-01",
            "2026-01-0x",
        ] {
            assert_eq!(days(text), None, "{text}");
        }
    }

    #[test]
    fn times_are_in_microseconds() {
        let second = 1_000_000;
        let times = [
            ("1970-01-01", 0),
            ("1970-01-01 00:01", 60 * second),
            ("1970-01-02T00:00:01", 86_401 * second),
            ("1969-12-31T23:59:59.5", -second / 2),
            ("1970-01-01T00:00:00.000001", 1),
            ("1970-01-01T00:00:00.123456000", 123_456),
            ("2026-01-01T12:34:56", 1_767_270_896 * second),
        ];
        for (text, micros) in times {
            assert_eq!(micros_since_1970(text), Some(micros), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for time in [
            "T",
            "T1",
            "T10:0",
            "T24:00",
            "T10:60",
            "T10:00:60",
            "T10:00:00.",
            "T10:00:00.1234567",
            "T10:00:00Z",
            "T10:00Z",
            "x10:00",
            "T10-00",
            "T10:00:0a",
            "T10:00:00.12a",
            "T10:00 ",
        ] {
            assert_eq!(micros_since_1970(&format!("2026-01-01{time}")), None, "{time}");
        }
    }
}
