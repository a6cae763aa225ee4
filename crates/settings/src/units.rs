//! Lengths of time and sizes, written with their unit.

use std::fmt::Write as _;
use std::time::Duration;

pub(crate) const DURATION_FORMS: &str =
    "\"250ms\", \"30s\", \"5m\", \"2h\", \"1d\", or several as in \"1h30m\"";
pub(crate) const SIZE_FORMS: &str =
    "\"512B\", \"64KiB\", \"16MiB\", \"1GiB\" (or kB, MB, GB in steps of 1000)";

const DURATION_UNITS: &[(&str, f64)] =
    &[("ms", 0.001), ("s", 1.0), ("m", 60.0), ("min", 60.0), ("h", 3600.0), ("d", 86_400.0)];

const SIZE_UNITS: &[(&str, f64)] = &[
    ("B", 1.0),
    ("KiB", 1024.0),
    ("MiB", 1_048_576.0),
    ("GiB", 1_073_741_824.0),
    ("kB", 1e3),
    ("MB", 1e6),
    ("GB", 1e9),
];

/// No setting and no option means a longer time: a thousand years.
const LONGEST_SECONDS: f64 = 86_400.0 * 365_000.0;

/// Largest size that is read: 1 PiB.
const LARGEST_BYTES: f64 = 1_125_899_906_842_624.0;

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(pub u64);

/// Reads `30s`, `250ms`, `1h30m`. The error says what was expected.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let seconds = sum(text, DURATION_UNITS).filter(|seconds| *seconds <= LONGEST_SECONDS);
    seconds.map(Duration::from_secs_f64).ok_or_else(|| format!("a time is written as {DURATION_FORMS}"))
}

/// Reads `64MiB`, `1GB`. The error says what was expected.
pub fn parse_byte_size(text: &str) -> Result<ByteSize, String> {
    let bytes = sum(text, SIZE_UNITS).filter(|bytes| *bytes <= LARGEST_BYTES);
    bytes.map(|bytes| ByteSize(bytes as u64)).ok_or_else(|| format!("a size is written as {SIZE_FORMS}"))
}

/// The shortest writing that [`parse_duration`] reads back, to the millisecond.
pub fn show_duration(duration: Duration) -> String {
    let mut rest = duration.as_millis();
    let mut text = String::new();
    for (unit, millis) in [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)] {
        if rest >= millis {
            let _ = write!(text, "{}{unit}", rest / millis);
            rest %= millis;
        }
    }
    if text.is_empty() { "0s".into() } else { text }
}

pub(crate) fn show_byte_size(size: ByteSize) -> String {
    let fitting = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)]
        .into_iter()
        .find(|(_, bytes)| size.0 >= *bytes && size.0.is_multiple_of(*bytes));
    fitting.map_or_else(|| format!("{}B", size.0), |(unit, bytes)| format!("{}{unit}", size.0 / bytes))
}

/// Adds up `number unit` pairs; `None` if the text is anything else.
fn sum(text: &str, units: &[(&str, f64)]) -> Option<f64> {
    let mut rest = text.trim();
    if rest.is_empty() {
        return None;
    }
    let mut total = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at(digits);
        let tail = tail.trim_start();
        let letters = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        let factor = units.iter().find(|(name, _)| *name == unit).map(|(_, factor)| *factor)?;
        total += number.parse::<f64>().ok()? * factor;
        rest = tail.trim_start();
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_their_units() {
        assert_eq!(parse_duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(parse_duration("1h30m"), Ok(Duration::from_mins(90)));
        assert_eq!(parse_duration(" 0.5 s "), Ok(Duration::from_millis(500)));
    }

    #[test]
    fn a_time_without_a_unit_or_beyond_reason_is_refused() {
        for text in ["", "30", "s", "-1s", "30x", "1..2s", "nan s", "99999999999999d", "1s 2"] {
            assert!(parse_duration(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn sizes_are_read_with_their_units() {
        assert_eq!(parse_byte_size("64MiB"), Ok(ByteSize(64 << 20)));
        assert_eq!(parse_byte_size("1kB"), Ok(ByteSize(1000)));
        assert!(parse_byte_size("64").is_err());
        assert!(parse_byte_size("9999999999GiB").is_err());
    }

    #[test]
    fn what_is_shown_is_read_back() {
        for millis in [0, 1, 999, 1000, 25_000, 5_400_000, 86_400_001] {
            let duration = Duration::from_millis(millis);
            assert_eq!(parse_duration(&show_duration(duration)), Ok(duration));
        }
        for bytes in [0, 1000, 1024, 16 << 20] {
            assert_eq!(parse_byte_size(&show_byte_size(ByteSize(bytes))), Ok(ByteSize(bytes)));
        }
    }
}
