use crate::Error;

/// What one check of a probe found.
#[derive(Debug, Clone)]
pub struct Finding {
    check: &'static str,
    severity: Severity,
    said: Said,
}

/// Takes findings as they come.
pub type Report<'r> = &'r mut (dyn FnMut(Finding) + Send);

/// How much a finding matters, from nothing to what stops work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    Fine,
    /// It could not be checked, or not by this user.
    Unchecked,
    /// Work goes on, but something may go wrong later.
    Warning,
    /// Nothing works, or some tasks are not executed.
    Error,
}

#[derive(Debug, Clone)]
enum Said {
    Sentence(String),
    Trouble(Error),
}

impl Finding {
    /// All is well; `sentence` is what was seen, as a lower-case fragment.
    pub fn fine(check: &'static str, sentence: impl Into<String>) -> Self {
        Self { check, severity: Severity::Fine, said: Said::Sentence(sentence.into()) }
    }

    /// It could not be checked; `why`, as a lower-case fragment.
    pub fn unchecked(check: &'static str, why: impl Into<String>) -> Self {
        Self { check, severity: Severity::Unchecked, said: Said::Sentence(why.into()) }
    }

    pub fn warning(check: &'static str, trouble: Error) -> Self {
        Self { check, severity: Severity::Warning, said: Said::Trouble(trouble) }
    }

    pub fn error(check: &'static str, trouble: Error) -> Self {
        Self { check, severity: Severity::Error, said: Said::Trouble(trouble) }
    }

    /// The name of the check, which stays the same: kebab-case.
    pub fn check(&self) -> &'static str {
        self.check
    }

    pub fn severity(&self) -> Severity {
        self.severity
    }

    /// What was found, in a lower-case fragment.
    pub fn sentence(&self) -> &str {
        match &self.said {
            Said::Sentence(sentence) => sentence,
            Said::Trouble(error) => error.message(),
        }
    }

    /// What is wrong, if something is: its code, what was checked, the next command.
    pub fn trouble(&self) -> Option<&Error> {
        match &self.said {
            Said::Sentence(_) => None,
            Said::Trouble(error) => Some(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Code;

    #[test]
    fn only_what_is_wrong_has_a_code() {
        let full = Finding::error("writes", Error::new(Code::RedisFull, "it takes no more"));
        assert_eq!(full.trouble().map(Error::code), Some(Code::RedisFull));
        assert_eq!((full.sentence(), full.severity()), ("it takes no more", Severity::Error));
        assert!(Finding::unchecked("version", "the login failed").trouble().is_none());
        assert!(Severity::Fine < Severity::Unchecked && Severity::Warning < Severity::Error);
    }
}
