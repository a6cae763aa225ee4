//! How deep JSON text is nested, found without recursion and before anything is parsed.

/// The greatest number of arrays and objects inside each other. Meaningful for valid JSON; for other bytes it is
/// some number.
pub(crate) fn depth(json: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0usize, 0);
    let mut bytes = json.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'[' | b'{' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            b'"' => skip_string(&mut bytes),
            _ => {}
        }
    }
    deepest
}

fn skip_string(bytes: &mut std::slice::Iter<'_, u8>) {
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => return,
            b'\\' => _ = bytes.next(),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_count_only_outside_of_strings() {
        assert_eq!(depth(b"7"), 0);
        assert_eq!(depth(br#"[{"a": [1]}, [2]]"#), 3);
        assert_eq!(depth(br#"["[[[", "\"[[", "\\", []]"#), 2);
        assert_eq!(depth(b"]]]["), 1);
    }
}
