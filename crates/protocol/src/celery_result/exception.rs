//! Failures as the exceptions that Celery's clients raise.
//!
//! Celery looks the class up in the module that the document names. If the module is null, or has no such class, it
//! makes a subclass of `Exception` of that name; if it finds something that is no exception, it raises
//! `SecurityError`. So a module is named only for classes that are known to be there: Python's, Celery's, and those that a
//! Python worker has seen raised.

/// What stands for a failure in a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Class<'a> {
    pub(super) name: &'a str,
    pub(super) module: Option<&'a str>,
}

const CELERY: &str = "celery.exceptions";
const BUILTINS: &str = "builtins";
/// The library of Celery's processes, whose exceptions Celery passes on as its own.
const BILLIARD: &str = "billiard.exceptions";

/// Our kinds of failure and Celery's classes for them.
const OURS: &[(&str, &str)] = &[
    ("Revoked", "TaskRevokedError"),
    ("Expired", "TaskRevokedError"),
    ("WorkerLost", "WorkerLostError"),
    ("UnknownTask", "NotRegistered"),
    ("TimeLimitExceeded", "TimeLimitExceeded"),
    ("SoftTimeLimitExceeded", "SoftTimeLimitExceeded"),
    ("TaskRevokedError", "TaskRevokedError"),
    ("WorkerLostError", "WorkerLostError"),
    ("NotRegistered", "NotRegistered"),
    ("MaxRetriesExceededError", "MaxRetriesExceededError"),
];

/// Python's exceptions that take a message. Those that end the program, such as `SystemExit`, are left out.
const PYTHON: &[&str] = &[
    "ArithmeticError",
    "AssertionError",
    "AttributeError",
    "BlockingIOError",
    "BrokenPipeError",
    "BufferError",
    "ChildProcessError",
    "ConnectionAbortedError",
    "ConnectionError",
    "ConnectionRefusedError",
    "ConnectionResetError",
    "EOFError",
    "Exception",
    "FileExistsError",
    "FileNotFoundError",
    "FloatingPointError",
    "IOError",
    "ImportError",
    "IndexError",
    "InterruptedError",
    "IsADirectoryError",
    "KeyError",
    "LookupError",
    "MemoryError",
    "ModuleNotFoundError",
    "NameError",
    "NotADirectoryError",
    "NotImplementedError",
    "OSError",
    "OverflowError",
    "PermissionError",
    "ProcessLookupError",
    "RecursionError",
    "ReferenceError",
    "RuntimeError",
    "StopIteration",
    "SyntaxError",
    "SystemError",
    "TimeoutError",
    "TypeError",
    "UnicodeError",
    "ValueError",
    "ZeroDivisionError",
];

/// The class that stands for failures of `kind`.
pub(super) fn class(kind: &str) -> Class<'_> {
    if let Some((_, name)) = OURS.iter().find(|(ours, _)| *ours == kind) {
        return Class { name, module: Some(CELERY) };
    }
    if PYTHON.binary_search(&kind).is_ok() {
        return Class { name: kind, module: Some(BUILTINS) };
    }
    match kind.rsplit_once('.') {
        Some((module, name)) if is_path_of_python(kind) => Class { name, module: Some(module) },
        _ => Class { name: kind, module: None },
    }
}

/// The kind of a failure that Celery's document tells by a class and its module. Those of Python and of Celery itself go by
/// their bare names.
pub(super) fn kind(name: &str, module: Option<&str>) -> String {
    match module {
        Some(module) if ![BUILTINS, CELERY, BILLIARD].contains(&module) => format!("{module}.{name}"),
        _ => name.to_owned(),
    }
}

/// Python workers name an exception that was raised by its module and its class, so it is one. Paths of Rust have colons.
fn is_path_of_python(kind: &str) -> bool {
    let is_name = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || c == '_');
    kind.split('.').all(is_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_is_named_only_for_classes_that_it_has() {
        assert_eq!(class("Revoked"), Class { name: "TaskRevokedError", module: Some(CELERY) });
        assert_eq!(kind("TimeLimitExceeded", Some("billiard.exceptions")), "TimeLimitExceeded");
        assert_eq!(class("ValueError"), Class { name: "ValueError", module: Some(BUILTINS) });
        assert_eq!(class("shop.mail.Bounced"), Class { name: "Bounced", module: Some("shop.mail") });
        for own in
            ["mail::SmtpError", "std::io.Error", "a..b", "print", "SystemExit", "KeyboardInterrupt", ""]
        {
            assert_eq!(class(own), Class { name: own, module: None });
        }
    }

    #[test]
    fn the_table_is_in_order() {
        assert!(PYTHON.is_sorted());
    }
}
