use crate::field::Field;

const ZEROS: u64 = u64::from_le_bytes([b'0'; 8]);
const ABOVE_NINE: u64 = u64::from_le_bytes([0x76; 8]);
const HIGH_BITS: u64 = u64::from_le_bytes([0x80; 8]);

/// A whole number of 64 bits, with or without a sign, in decimal digits.
#[inline]
pub(crate) fn int(field: Field<'_>) -> Option<i64> {
    let sign = if field.len() > 0 { field.block[field.start] } else { return None };
    let digits = field.part(usize::from(sign == b'-' || sign == b'+'), field.len());
    let number = match digits.len() {
        0 => return None,
        1..=8 => up_to_eight(digits)?,
        length @ 9..=16 => {
            let high = up_to_eight(digits.part(0, length - 8))?;
            high * 100_000_000 + up_to_eight(digits.part(length - 8, length))?
        }
        _ => return long(field),
    };
    // At most 16 digits always fit.
    let number = number as i64;
    Some(if sign == b'-' { -number } else { number })
}

/// Digits only, with or without a sign and blanks around: a whole number of any size.
pub(crate) fn is_whole(text: &[u8]) -> bool {
    let text = text.trim_ascii();
    let digits = text.strip_prefix(b"-").or(text.strip_prefix(b"+")).unwrap_or(text);
    !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
}

#[cold]
fn long(field: Field<'_>) -> Option<i64> {
    std::str::from_utf8(field.text()).ok()?.parse().ok()
}

/// The value of one to eight digits, all at once: they become the bytes of one number, are tested together, and
/// neighbours are joined to pairs, fours and eight.
#[inline]
pub(super) fn up_to_eight(digits: Field<'_>) -> Option<u64> {
    // Shifting puts zeros before the first digit, and drops what follows the last.
    let bytes = (digits.eight() ^ ZEROS) << (64 - 8 * digits.len());
    let pairs = pairs(bytes)?;
    let every_other = 0x0000_00ff_0000_00ff;
    let high = (pairs & every_other).wrapping_mul(100 + (1_000_000 << 32));
    let low = ((pairs >> 16) & every_other).wrapping_mul(1 + (10_000 << 32));
    Some(high.wrapping_add(low) >> 32)
}

/// Of eight bytes from 0 to 9, ten times each plus the next.
#[inline]
pub(super) fn pairs(bytes: u64) -> Option<u64> {
    let is_above_nine = (bytes.wrapping_add(ABOVE_NINE) | bytes) & HIGH_BITS != 0;
    (!is_above_nine).then(|| bytes.wrapping_mul(10).wrapping_add(bytes >> 8))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Option<i64> {
        // What follows a field must not change it.
        let block = format!("9{text}99999999");
        let within = int(Field { block: block.as_bytes(), start: 1, end: 1 + text.len() });
        assert_eq!(within, int(Field::of(text.as_bytes())), "{text}");
        within
    }

    #[test]
    fn edges_are_read_as_the_standard_library_does() {
        let texts = [
            "",
            "-",
            "+",
            "0",
            "-0",
            "+7",
            "--1",
            "1-",
            "007",
            "12345678",
            "123456789",
            "1234567890123456",
            "12345678901234567",
            "9223372036854775807",
            "9223372036854775808",
            "-9223372036854775808",
            "-9223372036854775809",
            "000000000000000000000000001",
            "1 ",
            "1:",
            "1/",
            "1\u{7f}",
            "１",
        ];
        for text in texts {
            assert_eq!(read(text), text.parse().ok(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn numbers_are_read_back(number: i64) {
            prop_assert_eq!(read(&number.to_string()), Some(number));
        }

        #[test]
        fn texts_are_read_as_the_standard_library_does(text in "[-+]?[0-9]{0,20}[0-9a-z:/.]?[0-9]{0,3}") {
            prop_assert_eq!(read(&text), text.parse().ok());
        }

        #[test]
        fn whole_numbers_are_digits(text in "[-+ ]{0,2}[0-9.e]{0,30}") {
            let number: Option<f64> = text.trim().parse().ok();
            prop_assert_eq!(is_whole(text.as_bytes()), number.is_some() && !text.contains(['.', 'e']));
        }
    }
}
