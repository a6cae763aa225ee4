//! How a task says that it failed.

use std::any::Any;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use cardoon_core::{RetryHint, TaskFailure};
use cardoon_protocol::BadArguments;
use serde::{Deserialize, Serialize};

/// Why a run failed, and what its task wants to follow. Every error converts into one by `?`;
/// arguments that do not bind become [`TaskError::bad_arguments`].
///
/// It is no `std::error::Error` itself: that is what lets all others convert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskError {
    pub failure: TaskFailure,
    pub hint: RetryHint,
    bad_arguments: bool,
    /// What the next attempt is called with in the place of the same arguments: a JSON array and a JSON object.
    #[serde(default)]
    new_arguments: Option<Box<(Bytes, Bytes)>>,
}

impl TaskError {
    /// The kind of a run that its soft limit ended.
    pub const SOFT_TIME_LIMIT: &'static str = "SoftTimeLimitExceeded";
    /// The kind of a run that its hard limit ended.
    pub const TIME_LIMIT: &'static str = "TimeLimitExceeded";
    /// The kind of a run for which there was no thread or process, three times in a row.
    pub const NOT_STARTED: &'static str = "NotStarted";
    /// The kind of a run that panicked.
    pub const PANIC: &'static str = "Panic";

    /// A failure after which the task's retry policy decides. `kind` is what retry lists name.
    pub fn new(kind: impl Into<String>, message: impl Into<String>) -> Self {
        Self::of(TaskFailure::new(kind, message), RetryHint::Policy)
    }

    /// A failure that another attempt would not mend.
    pub fn fatal(kind: impl Into<String>, message: impl Into<String>) -> Self {
        Self::of(TaskFailure::new(kind, message), RetryHint::Never)
    }

    /// Asks for another attempt after `delay`, as long as retries are left. Recorded as a failure of kind `Retry`.
    pub fn retry_in(delay: Duration, message: impl Into<String>) -> Self {
        Self::of(TaskFailure::new("Retry", message), RetryHint::After(delay))
    }

    /// The arguments do not fit: the message goes to the dead letters.
    pub fn bad_arguments(message: impl Into<String>) -> Self {
        let bad = Self::fatal("BadArguments", message);
        Self { bad_arguments: true, ..bad }
    }

    /// This failure, but for arguments that do not fit: the message goes to the dead letters.
    #[must_use]
    pub fn over_arguments(self) -> Self {
        Self { hint: RetryHint::Never, bad_arguments: true, ..self }
    }

    /// The task noticed its soft limit and stopped.
    pub fn soft_time_limit() -> Self {
        Self::new(Self::SOFT_TIME_LIMIT, "the task stopped at its soft time limit")
    }

    /// The return value cannot be stored, and would not be smaller next time.
    pub(crate) fn result_too_large(size: usize, most: usize) -> Self {
        let text = format!("the return value has {size} bytes, the limit is {most}");
        Self::fatal("ResultTooLarge", text)
    }

    /// A failure out of what a panic carries.
    pub(crate) fn from_panic(payload: &(dyn Any + Send)) -> Self {
        let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
        Self::new(Self::PANIC, text.unwrap_or_else(|| "the task panicked".to_owned()))
    }

    /// A failure out of `error`: its type is the kind, its causes are the details.
    pub fn from_error<E: std::error::Error>(error: &E) -> Self {
        let causes = std::iter::successors(error.source(), |cause| cause.source());
        let details: Vec<String> = causes.map(ToString::to_string).collect();
        let failure = TaskFailure::new(public_path(std::any::type_name::<E>()), error.to_string());
        let failure = TaskFailure { details: details.join("\n"), ..failure };
        Self::of(failure, RetryHint::Policy)
    }

    /// Whether the message goes to the dead letters because of its arguments.
    pub fn is_bad_arguments(&self) -> bool {
        self.bad_arguments
    }

    /// The same failure, with other arguments for the next attempt, if there is one: a JSON array and a JSON object.
    #[must_use]
    pub fn with_arguments(self, args: Bytes, kwargs: Bytes) -> Self {
        Self { new_arguments: Some(Box::new((args, kwargs))), ..self }
    }

    pub(crate) fn new_arguments(&self) -> Option<&(Bytes, Bytes)> {
        self.new_arguments.as_deref()
    }

    /// The same failure, with another wish for what follows.
    #[must_use]
    pub fn with_hint(self, hint: RetryHint) -> Self {
        Self { hint, ..self }
    }

    fn of(failure: TaskFailure, hint: RetryHint) -> Self {
        Self { failure, hint, bad_arguments: false, new_arguments: None }
    }
}

impl<E: std::error::Error + 'static> From<E> for TaskError {
    fn from(error: E) -> Self {
        match (&error as &dyn Any).downcast_ref::<BadArguments>() {
            Some(bad) => Self::bad_arguments(bad.to_string()),
            None => Self::from_error(&error),
        }
    }
}

impl fmt::Display for TaskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.failure.fmt(f)
    }
}

/// The path that users write for a type: a private module `error`, where most crates keep theirs, is left out.
fn public_path(type_name: &str) -> String {
    let (path, parameters) = type_name.split_at(type_name.find('<').unwrap_or(type_name.len()));
    match path.rsplit_once("::error::") {
        Some((head, last)) if !last.contains("::") => format!("{head}::{last}{parameters}"),
        _ => type_name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open() -> Result<(), TaskError> {
        std::fs::File::open("/nowhere/at/all")?;
        Ok(())
    }

    #[test]
    fn an_error_converts_with_the_name_that_users_write() {
        let error = open().unwrap_err();
        assert_eq!(error.failure.kind, "std::io::Error");
        assert_eq!(error.hint, RetryHint::Policy);
        assert!(error.failure.message.contains("No such file"));
    }

    #[test]
    fn causes_become_the_details_nearest_first() {
        #[derive(Debug)]
        struct Outer(std::num::ParseIntError);
        impl fmt::Display for Outer {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("cannot read the size")
            }
        }
        impl std::error::Error for Outer {
            fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
                Some(&self.0)
            }
        }
        let error = TaskError::from(Outer("x".parse::<i32>().unwrap_err()));
        assert_eq!(error.failure.message, "cannot read the size");
        assert_eq!(error.failure.details, "invalid digit found in string");
    }

    #[test]
    fn only_bad_arguments_go_to_the_dead_letters_at_once() {
        assert!(TaskError::bad_arguments("one too many").is_bad_arguments());
        assert!(TaskError::from(BadArguments::new("one too many")).is_bad_arguments());
        assert!(!TaskError::fatal("E", "no").is_bad_arguments());
    }
}
