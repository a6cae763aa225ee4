//! Text of other people's making. A task's name, arguments and errors may hold anything, also what a terminal
//! takes for orders.

use std::fmt::Write as _;

/// `text` with its control characters, and those that turn the direction of writing, escaped.
pub fn clean(text: &str) -> String {
    let mut cleaned = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => cleaned.push_str("\\n"),
            '\t' => cleaned.push_str("\\t"),
            '\r' => cleaned.push_str("\\r"),
            c if is_dangerous(c) => {
                let _ = write!(cleaned, "\\u{{{:x}}}", u32::from(c));
            }
            c => cleaned.push(c),
        }
    }
    cleaned
}

/// `text`, cleaned, of at most `limit` characters; `…` stands for what is missing.
pub fn cut(text: &str, limit: usize) -> String {
    let head: String = text.chars().take(limit + 1).collect();
    let cleaned = clean(&head);
    if cleaned.chars().count() <= limit {
        return cleaned;
    }
    let mut short: String = cleaned.chars().take(limit.saturating_sub(1)).collect();
    short.push('…');
    short
}

/// Whether a terminal would obey it, or it turns the direction of writing.
pub fn is_dangerous(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_escaped() {
        assert_eq!(clean("a\u{1b}[2Jb\n\u{9b}31m\u{202e}"), "a\\u{1b}[2Jb\\n\\u{9b}31m\\u{202e}");
        assert_eq!(clean("任务 é"), "任务 é");
    }

    #[test]
    fn long_texts_are_cut_to_the_limit_also_when_escapes_make_them_longer() {
        assert_eq!(cut("abcdef", 6), "abcdef");
        assert_eq!(cut("abcdefg", 6), "abcde…");
        assert_eq!(cut(&"\u{1b}".repeat(9), 6), "\\u{1b…");
    }
}
