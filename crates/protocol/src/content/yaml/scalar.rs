//! What a plain scalar means, by the rules of YAML 1.1 that `PyYAML` goes by.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::super::malformed;
use crate::{Undecodable, wire_time};

#[derive(Debug, PartialEq)]
pub(super) enum Scalar<'t> {
    /// Text that is JSON as it stands: a whole number, `true`, `false` or `null`.
    Literal(Cow<'t, str>),
    Float(f64),
    Text(Cow<'t, str>),
    Bytes(Vec<u8>),
    /// kombu's type and value of a time.
    Time {
        kind: &'static str,
        text: String,
    },
    /// `<<`, which takes over the members of another mapping.
    Merge,
}

impl<'t> Scalar<'t> {
    pub(super) fn plain(text: &'t str) -> Result<Self, Undecodable> {
        if let Some(word) = word(text) {
            return Ok(word);
        }
        let starts_like_a_number =
            text.starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first));
        if !starts_like_a_number {
            return Ok(Self::Text(text.into()));
        }
        let (sign, digits) = match text.strip_prefix(['-', '+']) {
            Some(digits) => (if text.starts_with('-') { "-" } else { "" }, digits),
            None => ("", text),
        };
        if let Some(number) = integer(sign, digits)? {
            return Ok(Self::Literal(number.into()));
        }
        if let Some(number) = float(digits) {
            return Ok(Self::Float(if sign == "-" { -number } else { number }));
        }
        Ok(time(text).unwrap_or(Self::Text(text.into())))
    }

    /// Base64, in lines.
    pub(super) fn binary(text: &str) -> Result<Self, Undecodable> {
        let text: String = text.split_ascii_whitespace().collect();
        let bytes = STANDARD.decode(text);
        bytes.map(Self::Bytes).map_err(|error| malformed(format!("a `!!binary` is no base64: {error}")))
    }
}

fn word(text: &str) -> Option<Scalar<'static>> {
    let literal = |literal: &'static str| Some(Scalar::Literal(Cow::Borrowed(literal)));
    match text {
        "" | "~" | "null" | "Null" | "NULL" => literal("null"),
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => literal("true"),
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => literal("false"),
        ".nan" | ".NaN" | ".NAN" => Some(Scalar::Float(f64::NAN)),
        "<<" => Some(Scalar::Merge),
        _ => None,
    }
}

/// The decimal digits of a whole number, `None` if it is none.
fn integer(sign: &str, text: &str) -> Result<Option<String>, Undecodable> {
    let digits = text.replace('_', "");
    let other = if let Some(digits) = digits.strip_prefix("0x") {
        Some((digits, 16))
    } else if let Some(digits) = digits.strip_prefix("0b") {
        Some((digits, 2))
    } else {
        digits.strip_prefix('0').filter(|rest| !rest.is_empty()).map(|digits| (digits, 8))
    };
    match other {
        Some((digits, radix)) if all(digits, |digit| digit.is_digit(radix)) => {
            let number = u128::from_str_radix(digits, radix);
            let number = number.map_err(|_| malformed(format!("the number {sign}{text} is too large")))?;
            Ok(Some(format!("{sign}{number}")))
        }
        Some(_) => Ok(None),
        None if all(&digits, |digit| digit.is_ascii_digit()) && !text.starts_with('_') => {
            Ok(Some(format!("{sign}{digits}")))
        }
        None => Ok(sexagesimal(&digits).map(|number| format!("{sign}{number}"))),
    }
}

/// Such as `1:30:00`, with 60 for base.
fn sexagesimal(digits: &str) -> Option<u64> {
    let (first, others) = digits.split_once(':')?;
    if !first.starts_with(|digit: char| ('1'..='9').contains(&digit))
        || !all(first, |digit| digit.is_ascii_digit())
    {
        return None;
    }
    others.split(':').try_fold(first.parse().ok()?, |number: u64, digits| {
        number.checked_mul(60)?.checked_add(below_sixty(digits)?)
    })
}

fn below_sixty(digits: &str) -> Option<u64> {
    let fits = digits.len() <= 2 && all(digits, |digit| digit.is_ascii_digit());
    digits.parse().ok().filter(|number| fits && *number < 60)
}

/// A number with a point, and with a sign in its exponent, without which YAML 1.1 takes it for a text.
fn float(text: &str) -> Option<f64> {
    if matches!(text, ".inf" | ".Inf" | ".INF") {
        return Some(f64::INFINITY);
    }
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let (whole, fraction) = mantissa.split_once('.')?;
    let is_digit = |digit: char| digit.is_ascii_digit() || digit == '_';
    let starts_with_digit = |text: &str| text.starts_with(|digit: char| digit.is_ascii_digit());
    let starts = if whole.is_empty() { starts_with_digit(fraction) } else { starts_with_digit(whole) };
    if !starts || !whole.chars().all(is_digit) || !fraction.chars().all(is_digit) {
        return None;
    }
    let exponent = exponent.map(|exponent| exponent.strip_prefix(['-', '+']));
    if !exponent.is_none_or(|digits| digits.is_some_and(|digits| all(digits, |digit| digit.is_ascii_digit())))
    {
        return None;
    }
    text.replace('_', "").parse().ok()
}

/// A date, or a date with a time, which `PyYAML` writes with a space between them.
fn time(text: &str) -> Option<Scalar<'static>> {
    let bytes = text.as_bytes();
    let is_date = |date: &[u8]| {
        date.len() == 10
            && date
                .iter()
                .enumerate()
                .all(|(at, byte)| if at == 4 || at == 7 { *byte == b'-' } else { byte.is_ascii_digit() })
    };
    if is_date(bytes) {
        return text
            .parse::<jiff::civil::Date>()
            .ok()
            .map(|_| Scalar::Time { kind: "date", text: text.into() });
    }
    let (date, clock) = bytes.split_at_checked(10)?;
    if !is_date(date) || !matches!(clock.first()?, b'T' | b't' | b' ') || !clock.contains(&b':') {
        return None;
    }
    let iso = text.replacen([' ', 't'], "T", 1);
    wire_time::read(&iso).ok()?;
    Some(Scalar::Time { kind: "datetime", text: iso.replace('Z', "+00:00") })
}

fn all(text: &str, accepts: impl Fn(char) -> bool) -> bool {
    !text.is_empty() && text.chars().all(accepts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn literal(text: &str) -> Scalar<'_> {
        Scalar::Literal(text.into())
    }

    fn plain(text: &str) -> Scalar<'_> {
        Scalar::plain(text).unwrap()
    }

    #[test]
    fn words_mean_what_yaml_1_1_says() {
        for (text, meaning) in
            [("~", "null"), ("", "null"), ("Yes", "true"), ("off", "false"), ("TRUE", "true")]
        {
            assert_eq!(plain(text), literal(meaning));
        }
        assert_eq!(plain("<<"), Scalar::Merge);
        for text in
            ["y", "nul", "tRue", "hello", "-", "+", ".", "1a", "0o7", "08", "1e5", "1.5e5", "_1", "v1.2"]
        {
            assert_eq!(plain(text), Scalar::Text(text.into()));
        }
    }

    #[test]
    fn whole_numbers_are_read_in_every_base() {
        for (text, number) in [
            ("0", "0"),
            ("-12", "-12"),
            ("+7", "7"),
            ("1_000", "1000"),
            ("0x1F", "31"),
            ("-0b101", "-5"),
            ("017", "15"),
            ("1:30", "90"),
            ("190:20:30", "685230"),
            ("123456789012345678901234567890", "123456789012345678901234567890"),
        ] {
            assert_eq!(plain(text), literal(number), "{text}");
        }
        assert!(Scalar::plain(&format!("0x{}", "f".repeat(40))).is_err());
        assert_eq!(plain("1:60"), Scalar::Text("1:60".into()));
    }

    #[test]
    fn numbers_with_a_point_are_read() {
        for (text, number) in [
            ("1.5", 1.5),
            ("-.5", -0.5),
            ("1.", 1.0),
            ("1.0e+20", 1e20),
            ("1_0.2_5", 10.25),
            ("-.inf", f64::NEG_INFINITY),
        ] {
            assert_eq!(plain(text), Scalar::Float(number), "{text}");
        }
        assert!(matches!(plain(".nan"), Scalar::Float(number) if number.is_nan()));
    }

    #[test]
    fn times_are_read_as_kombu_writes_them() {
        assert_eq!(plain("2030-01-02"), Scalar::Time { kind: "date", text: "2030-01-02".into() });
        let aware = "2030-01-02 03:04:05.000006+00:00";
        let time = |text: &str| Scalar::Time { kind: "datetime", text: text.into() };
        assert_eq!(plain(aware), time("2030-01-02T03:04:05.000006+00:00"));
        assert_eq!(plain("2030-01-02T03:04:05Z"), time("2030-01-02T03:04:05+00:00"));
        assert_eq!(plain("2030-01-02 03:04:05"), time("2030-01-02T03:04:05"));
        for text in ["2030-13-02", "2030-01-02x", "2030-01-02 at noon", "2030-1-2"] {
            assert_eq!(plain(text), Scalar::Text(text.into()));
        }
    }

    #[test]
    fn binary_is_base64_in_lines() {
        assert_eq!(Scalar::binary("/w\n  A=\n").unwrap(), Scalar::Bytes(vec![0xff, 0]));
        assert!(Scalar::binary("?").is_err());
    }
}
