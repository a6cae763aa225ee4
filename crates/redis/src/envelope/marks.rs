use bytes::Bytes;

/// What is remembered of a message while it waits: in a member of its envelope that kombu passes over. It is the first
/// one, in a form that is found without reading JSON, so that the sender's bytes stay as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Marks {
    pub(crate) redelivered: bool,
    pub(crate) resent: bool,
    pub(crate) deaths: u32,
    /// It was acknowledged early and its worker was lost.
    pub(crate) unknown: bool,
    /// It counts as this attempt, whatever its headers say.
    pub(crate) attempt: Option<u32>,
}

const BEGIN: &[u8] = b"{\"cardoon\":{";
const END: &[u8] = b"},";

/// The marks of a message, and the envelope as its sender wrote it.
pub(crate) fn parts(raw: &Bytes) -> (Marks, Bytes) {
    let Some(rest) = raw.strip_prefix(BEGIN) else { return (Marks::default(), raw.clone()) };
    let Some(end) = rest.windows(END.len()).position(|window| window == END) else {
        return (Marks::default(), raw.clone());
    };
    let Some(marks) = read(&rest[..end]) else { return (Marks::default(), raw.clone()) };
    let mut original = Vec::with_capacity(raw.len());
    original.push(b'{');
    original.extend_from_slice(&rest[end + END.len()..]);
    (marks, original.into())
}

/// The envelope with these marks. Bytes that are no envelope stay without: such a message is never executed.
pub(crate) fn marked(original: &Bytes, marks: Marks) -> Bytes {
    let Some(members) = original.strip_prefix(b"{").filter(|rest| rest.trim_ascii_start().starts_with(b"\""))
    else {
        return original.clone();
    };
    if marks == Marks::default() {
        return original.clone();
    }
    [BEGIN, written(marks).as_bytes(), END, members].concat().into()
}

fn written(marks: Marks) -> String {
    let flags = [(marks.redelivered, "redelivered"), (marks.resent, "resent"), (marks.unknown, "unknown")];
    let mut members: Vec<String> =
        flags.into_iter().filter(|(set, _)| *set).map(|(_, name)| format!("\"{name}\":true")).collect();
    if marks.deaths > 0 {
        members.push(format!("\"deaths\":{}", marks.deaths));
    }
    members.extend(marks.attempt.map(|attempt| format!("\"attempt\":{attempt}")));
    members.join(",")
}

fn read(members: &[u8]) -> Option<Marks> {
    let mut marks = Marks::default();
    for member in std::str::from_utf8(members).ok()?.split(',').filter(|member| !member.is_empty()) {
        let (name, value) = member.split_once(':')?;
        match name.trim_matches('"') {
            "redelivered" => marks.redelivered = value == "true",
            "resent" => marks.resent = value == "true",
            "unknown" => marks.unknown = value == "true",
            "deaths" => marks.deaths = value.parse().ok()?,
            "attempt" => marks.attempt = Some(value.parse().ok()?),
            // A newer Cardoon may remember more.
            _ => {}
        }
    }
    Some(marks)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_marks() -> impl Strategy<Value = Marks> {
        let flags = (any::<bool>(), any::<bool>(), any::<bool>());
        (flags, 0..5_u32, proptest::option::of(0..5_u32)).prop_map(
            |((redelivered, resent, unknown), deaths, attempt)| Marks {
                redelivered,
                resent,
                deaths,
                unknown,
                attempt,
            },
        )
    }

    proptest! {
        #[test]
        fn marks_and_the_senders_bytes_come_back(marks in any_marks(), rest in "\"[a-z]\":[1-9][0-9]{0,4}(,\"x\":\\{\"y\":1\\},\"z\":0)?") {
            let original = Bytes::from(format!("{{{rest}}}"));
            let stored = marked(&original, marks);
            prop_assert_eq!(parts(&stored), (marks, original));
            prop_assert!(serde_json::from_slice::<serde_json::Value>(&stored).is_ok());
        }

        #[test]
        fn bytes_that_are_no_envelope_stay_as_they_are(bytes: Vec<u8>, marks in any_marks()) {
            let original = Bytes::from(bytes);
            prop_assume!(!original.starts_with(b"{"));
            prop_assert_eq!(&marked(&original, marks), &original);
            prop_assert_eq!(parts(&original), (Marks::default(), original));
        }
    }

    #[test]
    fn an_envelope_whose_first_member_only_looks_like_ours_is_not_touched() {
        for text in ["{\"cardoon\":{\"deaths\":x},\"a\":1}", "{\"cardoon\":{\"deaths\":1}}", "{}", "{ }"] {
            let raw = Bytes::from(text);
            assert_eq!(parts(&raw).1, raw);
            assert_eq!(marked(&raw, Marks::default()), raw);
        }
    }
}
