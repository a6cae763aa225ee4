use cardoon_core::Timestamp;

const NAME: &[u8] = b"\"delivery_tag\"";

/// When the envelope was stored, if one of ours says so: its delivery tag is a UUID of version 7, which begins with the
/// time. Celery's tags are of version 4.
pub(crate) fn stored_at(raw: &[u8]) -> Option<Timestamp> {
    let place = raw.windows(NAME.len()).rposition(|window| window == NAME)?;
    let rest = raw.get(place + NAME.len()..)?;
    let start = rest.iter().skip(1).position(|byte| *byte == b'"')? + 2;
    let tag = std::str::from_utf8(rest.get(start..start + 36)?).ok()?;
    if tag.as_bytes().get(14) != Some(&b'7') {
        return None;
    }
    let millis = format!("{}{}", tag.get(..8)?, tag.get(9..13)?);
    i64::from_str_radix(&millis, 16).ok().map(Timestamp)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_of_ours_tells_the_time() {
        let raw = br#"{"properties":{"delivery_tag":"018bcfe5-6800-7000-8000-000000000000"}}"#;
        assert_eq!(stored_at(raw), Some(Timestamp(1_700_000_000_000)));
        let spaced = br#"{"properties": {"delivery_tag": "018bcfe5-6800-7000-8000-000000000000"}}"#;
        assert_eq!(stored_at(spaced), Some(Timestamp(1_700_000_000_000)));
    }

    #[test]
    fn other_tags_tell_nothing() {
        for raw in [
            &br#"{"properties":{"delivery_tag":"018bcfe5-6800-4000-8000-000000000000"}}"#[..],
            br#"{"properties":{"delivery_tag":"1"}}"#,
            br#"{"delivery_tag":"#,
            b"",
        ] {
            assert_eq!(stored_at(raw), None);
        }
    }
}
