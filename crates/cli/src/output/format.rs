use std::cell::Cell;
use std::fmt::Write as _;
use std::io::{ErrorKind, Write as _};

use cardoon_admin::text::is_dangerous;
use cardoon_errors::{Code, Error, Language, Result};
use clap::ValueEnum;
use serde::Serialize;

use super::Table;

/// The form of a command's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Table,
    /// One JSON document
    Json,
    /// One JSON object a line
    Jsonl,
}

/// Writes data to standard output. A reader who has gone away is no error: what follows is not written.
pub(crate) struct Output {
    format: Format,
    language: Language,
    closed: Cell<bool>,
}

impl Output {
    pub(crate) fn new(format: Format, language: Language) -> Self {
        Self { format, language, closed: Cell::new(false) }
    }

    pub(crate) fn format(&self) -> Format {
        self.format
    }

    /// That of what is written for people.
    pub(crate) fn language(&self) -> Language {
        self.language
    }

    pub(crate) fn is_for_people(&self) -> bool {
        self.format == Format::Table
    }

    /// Whether the reader has gone away.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.get()
    }

    /// A list: a table, an array or an object a line.
    pub(crate) fn list<T: Serialize>(&self, items: &[T], table: impl FnOnce(&[T]) -> Table) -> Result<()> {
        match self.format {
            Format::Table => self.line(&table(items).render(self.language)),
            Format::Json => self.line(&json_text(&items)),
            Format::Jsonl => items.iter().try_for_each(|item| self.line(&json_text(item))),
        }
    }

    /// One thing: lines for people, or an object.
    pub(crate) fn one<T: Serialize>(&self, item: &T, lines: impl FnOnce(&T) -> String) -> Result<()> {
        match self.format {
            Format::Table => self.line(&lines(item)),
            Format::Json | Format::Jsonl => self.line(&json_text(item)),
        }
    }

    /// Text that is the same in every form.
    pub(crate) fn line(&self, text: &str) -> Result<()> {
        if self.is_closed() {
            return Ok(());
        }
        let mut stdout = std::io::stdout().lock();
        match writeln!(stdout, "{text}").and_then(|()| stdout.flush()) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.closed.set(true);
                Ok(())
            }
            Err(error) => Err(Error::new(Code::OutputFailed, "cannot write the output").source(error)),
        }
    }
}

/// `value` as JSON. What a terminal would obey stands escaped, also where JSON does not ask for it.
pub(crate) fn json_text<T: Serialize>(value: &T) -> String {
    let text = serde_json::to_string(value).unwrap_or_else(|error| format!("\"{error}\""));
    if !text.chars().any(is_dangerous) {
        return text;
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_dangerous(c) {
            let _ = write!(escaped, "\\u{:04x}", u32::from(c));
        } else {
            escaped.push(c);
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_holds_no_character_that_a_terminal_obeys_and_means_the_same() {
        let wild = "a\u{1b}[0m\u{9b}\u{7f}\u{202e}";
        let text = json_text(&wild);
        assert!(!text.chars().any(is_dangerous), "{text}");
        assert_eq!(serde_json::from_str::<String>(&text).unwrap(), wild);
    }
}
