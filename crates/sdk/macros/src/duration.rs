//! Durations with a unit: `"250ms"`, `"30s"`, `"5m"`, `"2h"`, `"1d"`.

use syn::{Error, LitStr, Result};

const UNITS: [(&str, u64); 6] =
    [("ms", 1), ("s", 1_000), ("min", 60_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

/// The milliseconds that `text` names.
pub(crate) fn millis(text: &LitStr) -> Result<u64> {
    parse(&text.value()).ok_or_else(|| {
        Error::new(text.span(), "expected a duration: a whole number with ms, s, m, h or d, such as \"30s\"")
    })
}

fn parse(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let (_, millis) = UNITS.iter().find(|(name, _)| *name == unit.trim_start())?;
    number.parse::<u64>().ok()?.checked_mul(*millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_needs_a_unit() {
        assert_eq!(parse("250ms"), Some(250));
        assert_eq!(parse("30s"), Some(30_000));
        assert_eq!(parse("2 h"), Some(7_200_000));
        for wrong in ["30", "s", "", "-1s", "1.5s", "30 parsecs", "99999999999999999999d"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
