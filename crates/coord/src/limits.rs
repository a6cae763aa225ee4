use cardoon_errors::{Code, Error, Result};

/// The longest key.
pub const MAX_KEY_BYTES: usize = 255;

/// The largest value: 1 MiB. Larger things belong elsewhere, with their place as the value.
pub const MAX_VALUE_BYTES: usize = 1024 * 1024;

/// Fails for a key or a value that no store takes: keys have 1 to 255 bytes and no control characters.
pub fn check(key: &str, value: &[u8]) -> Result<()> {
    if key.is_empty() || key.len() > MAX_KEY_BYTES || key.chars().any(char::is_control) {
        let message = format!("a key has 1 to {MAX_KEY_BYTES} bytes and no control characters");
        return Err(Error::new(Code::BadName, message).checked(format!("the key is {key:?}")));
    }
    if value.len() > MAX_VALUE_BYTES {
        let message = format!("the value of {key} has {} bytes, at most {MAX_VALUE_BYTES} fit", value.len());
        return Err(Error::new(Code::TooLarge, message).hint("store the data elsewhere, and set where it is"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_some_bytes_and_no_control_characters() {
        let long = "k".repeat(MAX_KEY_BYTES);
        assert!(check("stock/42", b"").is_ok() && check(&long, b"").is_ok());
        for bad in ["", "a\nb", &format!("{long}k")] {
            assert_eq!(check(bad, b"").unwrap_err().code(), Code::BadName, "{bad:?}");
        }
    }

    #[test]
    fn a_value_is_small() {
        assert!(check("k", &vec![0; MAX_VALUE_BYTES]).is_ok());
        assert_eq!(check("k", &vec![0; MAX_VALUE_BYTES + 1]).unwrap_err().code(), Code::TooLarge);
    }
}
