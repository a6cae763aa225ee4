use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use crate::{Code, Kind};

/// The error of every Cardoon crate. Cheap to clone, so that one failed batch can answer each of its items.
///
/// Its text never holds a password: whoever puts a URL into one removes it first.
#[derive(Clone)]
pub struct Error(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    code: Code,
    message: String,
    applied: Applied,
    checked: Vec<String>,
    hint: Option<String>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

/// Whether the operation that failed took effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Applied {
    No,
    Yes,
    /// It may have. Sending again under the same id is safe; repeating a destructive read is not.
    Unknown,
}

impl Error {
    /// An error that was certainly not applied. `message` says what failed, as a lower-case fragment.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self(Arc::new(Inner {
            code,
            message: message.into(),
            applied: Applied::No,
            checked: Vec::new(),
            hint: None,
            source: None,
        }))
    }

    #[must_use]
    pub fn applied(self, applied: Applied) -> Self {
        self.with(|inner| inner.applied = applied)
    }

    /// Adds a thing that was looked at and what was found: `port 6379: refused`.
    #[must_use]
    pub fn checked(self, finding: impl Into<String>) -> Self {
        self.with(|inner| inner.checked.push(finding.into()))
    }

    /// Sets the next command or action.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        self.with(|inner| inner.hint = Some(hint.into()))
    }

    #[must_use]
    pub fn source(self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.with(|inner| inner.source = Some(Arc::new(source)))
    }

    pub fn code(&self) -> Code {
        self.0.code
    }

    pub fn kind(&self) -> Kind {
        self.0.code.kind()
    }

    /// The exit status of a command that ends with this error: that of its kind, or 6 for an application that cannot be
    /// imported.
    pub fn exit_status(&self) -> u8 {
        if self.code() == Code::AppImport { 6 } else { self.kind().exit_status() }
    }

    pub fn message(&self) -> &str {
        &self.0.message
    }

    pub fn was_applied(&self) -> Applied {
        self.0.applied
    }

    pub fn findings(&self) -> &[String] {
        &self.0.checked
    }

    pub fn next_step(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// The texts of the causes, nearest first.
    pub fn causes(&self) -> Vec<String> {
        let first = self.0.source.as_deref().map(|source| source as &dyn StdError);
        std::iter::successors(first, |error| (*error).source()).map(ToString::to_string).collect()
    }

    fn with(mut self, change: impl FnOnce(&mut Inner)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} [{}]", self.0.message, self.0.code)
    }
}

/// All that the error says, because this is what a program prints whose `main` returns it.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_printable(f, &self.to_string())?;
        let causes = self.causes().into_iter().map(|cause| ("cause", cause));
        let findings = self.0.checked.iter().map(|finding| ("checked", finding.clone()));
        let unknown = (self.0.applied == Applied::Unknown)
            .then(|| ("note", "whether it was done is not known".to_owned()));
        let hint = self.0.hint.clone().map(|hint| ("hint", hint));
        let page = ("docs", format!("cardoon explain {}", self.0.code));
        for (label, text) in causes.chain(findings).chain(unknown).chain(hint).chain([page]) {
            write!(f, "\n  {label}: ")?;
            write_printable(f, &text)?;
        }
        Ok(())
    }
}

/// Writes `text` with its control characters escaped: a terminal may obey them.
fn write_printable(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    for c in text.chars() {
        if c.is_control() { write!(f, "{}", c.escape_default())? } else { write!(f, "{c}")? }
    }
    Ok(())
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_ends_with_an_error_says_all_that_is_known() {
        let error = Error::new(Code::DiskFull, "cannot write \u{1b}tasks.db")
            .source(std::io::Error::other("no space"))
            .checked("free: 0")
            .applied(Applied::Unknown)
            .hint("df -h");
        let expected = "cannot write \\u{1b}tasks.db [CD1107]\n  cause: no space\n  checked: free: 0\n  \
                        note: whether it was done is not known\n  hint: df -h\n  docs: cardoon explain CD1107";
        assert_eq!(format!("{error:?}"), expected);
    }

    #[test]
    fn a_clone_keeps_its_own_answer() {
        let error = Error::new(Code::DiskFull, "cannot write tasks.db");
        let unknown = error.clone().applied(Applied::Unknown);
        assert_eq!(error.was_applied(), Applied::No);
        assert_eq!(unknown.was_applied(), Applied::Unknown);
        assert_eq!(unknown.to_string(), "cannot write tasks.db [CD1107]");
    }
}
