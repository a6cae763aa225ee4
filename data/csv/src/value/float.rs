use super::int::{is_whole, up_to_eight};
use crate::field::Field;

/// The powers of ten that a float holds without an error.
const TENS: [f64; 16] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];
const WHOLE_TENS: [u64; 9] = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];

/// A decimal number with or without a fraction and an exponent; `inf` and `nan` in any case.
#[inline]
pub(crate) fn float(field: Field<'_>) -> Option<f64> {
    short(field).or_else(|| any(field))
}

/// A whole number that 64 bits do not hold is none: such a column is text, wherever its other numbers stand.
#[cold]
fn any(field: Field<'_>) -> Option<f64> {
    let text = std::str::from_utf8(field.text()).ok()?;
    if is_whole(text.as_bytes()) && text.parse::<i64>().is_err() {
        return None;
    }
    text.parse().ok()
}

/// A number such as `-123.45` of at most eight digits on either side of the point, and 15 in all. Digits and power
/// are then without an error, and so their quotient is rounded once, as it must be.
#[inline]
fn short(field: Field<'_>) -> Option<f64> {
    let text = field.text();
    let sign = *text.first()?;
    let from = usize::from(sign == b'-' || sign == b'+');
    let point = text.iter().position(|byte| *byte == b'.').unwrap_or(text.len());
    let decimals = text.len().saturating_sub(point + 1);
    if point <= from || point - from > 8 || decimals > 8 || point - from + decimals > 15 {
        return None;
    }
    let mut digits = up_to_eight(field.part(from, point))?;
    if decimals > 0 {
        digits = digits * WHOLE_TENS[decimals] + up_to_eight(field.part(point + 1, text.len()))?;
    }
    let number = digits as f64 / TENS[decimals];
    Some(if sign == b'-' { -number } else { number })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn same(text: &str) {
        let exact = !is_whole(text.as_bytes()) || text.parse::<i64>().is_ok();
        let expected: Option<f64> = text.parse().ok().filter(|_| exact);
        let found = float(Field::of(text.as_bytes()));
        assert_eq!(found.map(f64::to_bits), expected.map(f64::to_bits), "{text}");
    }

    #[test]
    fn edges_are_read_as_the_standard_library_does() {
        let texts = [
            "",
            "-",
            ".",
            "-.",
            "1.",
            ".5",
            "-0",
            "-0.0",
            "+1.5",
            "1.5.5",
            "1e400",
            "5e-324",
            "0.1",
            "0.3",
            "99999999.99999999",
            "9999999.99999999",
            "12345678.1234567",
            "inf",
            "-Infinity",
            "nan",
            "1e",
            "1 .5",
        ];
        texts.into_iter().for_each(same);
    }

    proptest! {
        #[test]
        fn numbers_are_read_back(number: f64) {
            same(&number.to_string());
            same(&format!("{number:e}"));
        }

        #[test]
        fn decimals_are_read_as_the_standard_library_does(text in "[-+]?[0-9]{0,10}[.]?[0-9]{0,10}(e-?[0-9]{1,3})?") {
            same(&text);
        }
    }
}
