//! Text of other people's making, in what a terminal shows and in commands to type.

pub use cardoon_errors::text::{clean, cut, is_dangerous};

/// `text` as a word of a command to type.
pub fn shell_word(text: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "_-./:@,+".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) && !text.starts_with('-') {
        return text.to_owned();
    }
    format!("'{}'", clean(text).replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stands_in_a_command_as_it_must_be_typed() {
        assert_eq!(shell_word("mail.low-1"), "mail.low-1");
        assert_eq!(shell_word("邮件"), "邮件");
        assert_eq!(shell_word("a b"), "'a b'");
        assert_eq!(shell_word("it's"), "'it'\\''s'");
        assert_eq!(shell_word(""), "''");
    }
}
