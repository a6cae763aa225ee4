//! The pages of the codes, compiled in.

use crate::Code;

/// A language that Cardoon speaks to its users.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Language {
    #[default]
    English,
    Chinese,
}

impl Language {
    /// Chinese if `locale` (as in `LANG`) asks for it, else English.
    pub fn from_locale(locale: &str) -> Self {
        if locale.to_ascii_lowercase().starts_with("zh") { Self::Chinese } else { Self::English }
    }
}

/// The page of `code`: cause, what to check, the next command. Markdown.
pub fn page(code: Code, language: Language) -> &'static str {
    let _ = (code, language);
    ""
}
