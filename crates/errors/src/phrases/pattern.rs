//! Patterns: text with `{}` for what varies.

use std::borrow::Cow;

/// What stands in `text` for each `{}` of `pattern`, the shortest that fits; `None` if it does not match.
pub(super) fn pieces<'t>(pattern: &str, text: &'t str) -> Option<Vec<&'t str>> {
    let Some((first, others)) = pattern.split_once("{}") else {
        return (pattern == text).then(Vec::new);
    };
    let mut rest = text.strip_prefix(first)?;
    let mut pieces = Vec::new();
    let mut others = others.split("{}").peekable();
    while let Some(literal) = others.next() {
        let is_last = others.peek().is_none();
        let end = if is_last {
            rest.len().checked_sub(literal.len()).filter(|_| rest.ends_with(literal))?
        } else {
            rest.find(literal)?
        };
        pieces.push(&rest[..end]);
        rest = &rest[end + literal.len()..];
    }
    Some(pieces)
}

/// `template` with its `{0}` replaced by the pieces, and its `{0~}` by what `again` makes of them.
pub(super) fn fill<'p>(
    template: &str,
    pieces: &[&'p str],
    again: impl Fn(&'p str) -> Cow<'p, str>,
) -> String {
    let mut parts = template.split('{');
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, literal) = part.split_once('}').unwrap_or((part, ""));
        let index = name.trim_end_matches('~').parse().unwrap_or(usize::MAX);
        let piece = pieces.get(index).copied().unwrap_or_default();
        filled.push_str(&if name.ends_with('~') { again(piece) } else { piece.into() });
        filled.push_str(literal);
    }
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_takes_a_text_apart() {
        assert_eq!(
            pieces("task {} failed: {}", "task add failed: E: it failed: no"),
            Some(vec!["add", "E: it failed: no"])
        );
        assert_eq!(pieces("{} of {} sent", "2 of 3 sent"), Some(vec!["2", "3"]));
        assert_eq!(pieces("closed", "closed"), Some(vec![]));
        assert_eq!(pieces("closed", "closed door"), None);
        assert_eq!(pieces("{} is gone", "it"), None);
    }

    #[test]
    fn pieces_may_change_their_order() {
        let filled = fill("{1}：{0~}", &["a", "b"], |piece| piece.to_uppercase().into());
        assert_eq!(filled, "b：A");
    }
}
